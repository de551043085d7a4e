package dev.panoptim.javacpp;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.RmsProp;
import dev.panoptim.optim.Sgd;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdagradOptions;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.RMSprop;
import org.bytedeco.pytorch.RMSpropOptions;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Networks of libtorch that Panoptim trains in place.
@Tag("natives")
class TorchTrainingTest {
  private static final long SEED = 20_261_128;
  private static final int ROWS = 16;
  private static final int STEPS = 12;
  private static final float RATE = 1e-2f;

  private static float[] weights(TinyNet net) {
    List<Float> all = new ArrayList<>();
    for (Parameter each : TorchParameters.of(net.named_parameters())) {
      for (float value : each.data().toArray(JAVA_FLOAT)) {
        all.add(value);
      }
    }
    float[] weights = new float[all.size()];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = all.get(i);
    }
    return weights;
  }

  private static double accuracy(TinyNet net, Batch batch) {
    Tensor right =
        net.forward(batch.inputs()).argmax(new LongOptional(1), false).eq(batch.labels());
    return right.sum().item_long() / (double) batch.labels().numel();
  }

  @Test
  void aTrainingReachesItsAccuracy() {
    Random random = new Random(SEED);
    TinyNet net = TinyNet.ofSeed(SEED);
    Batch test = Batch.of(random, 1000);
    double before = accuracy(net, test);
    TorchParameters parameters = TorchParameters.of(net.named_parameters());
    try (Optimizer optimizer = AdamW.builder(parameters).learningRate(RATE).build()) {
      for (int i = 0; i < 200; i++) {
        optimizer.zeroGrad(true);
        net.loss(Batch.of(random, ROWS)).backward();
        optimizer.step();
      }
    }
    double after = accuracy(net, test);
    assertTrue(before < 0.9, "accuracy before the training: " + before);
    assertTrue(after > 0.95, "accuracy after the training: " + after);
  }

  private static SGDOptions nesterov() {
    SGDOptions options = new SGDOptions(RATE);
    options.momentum().put(0.9);
    options.weight_decay().put(0.1);
    options.nesterov().put(true);
    return options;
  }

  private static RMSpropOptions rmsprop() {
    RMSpropOptions options = new RMSpropOptions(RATE);
    options.momentum().put(0.5);
    options.centered().put(true);
    return options;
  }

  private static AdamOptions amsgrad() {
    AdamOptions options = new AdamOptions(RATE);
    options.weight_decay().put(0.1);
    options.amsgrad().put(true);
    return options;
  }

  private static Arguments pair(
      String name,
      Function<TensorVector, org.bytedeco.pytorch.Optimizer> torch,
      Function<TorchParameters, OptimizerBuilder<?>> panoptim) {
    return Arguments.of(Named.of(name, torch), panoptim);
  }

  private static Stream<Arguments> pairs() {
    return Stream.of(
        pair(
            "AdamW",
            all -> new org.bytedeco.pytorch.AdamW(all, new AdamWOptions(RATE)),
            all -> AdamW.builder(all).learningRate(RATE)),
        pair(
            "AMSGrad with L2",
            all -> new org.bytedeco.pytorch.Adam(all, amsgrad()),
            all -> Adam.builder(all).learningRate(RATE).weightDecay(0.1).amsgrad(true)),
        pair(
            "SGD with Nesterov's momentum and L2",
            all -> new SGD(all, nesterov()),
            all ->
                Sgd.builder(all).learningRate(RATE).momentum(0.9).weightDecay(0.1).nesterov(true)),
        pair(
            "centered RMSprop with momentum",
            all -> new RMSprop(all, rmsprop()),
            all -> RmsProp.builder(all).learningRate(RATE).momentum(0.5).centered(true)),
        pair(
            "Adagrad",
            all -> new org.bytedeco.pytorch.Adagrad(all, new AdagradOptions(RATE)),
            all -> Adagrad.builder(all).learningRate(RATE)));
  }

  @ParameterizedTest
  @MethodSource("pairs")
  void theWeightsAreThoseOfTorchsOwnOptimizer(
      Function<TensorVector, org.bytedeco.pytorch.Optimizer> torch,
      Function<TorchParameters, OptimizerBuilder<?>> panoptim) {
    TinyNet theirs = TinyNet.ofSeed(SEED);
    TinyNet ours = TinyNet.ofSeed(SEED);
    assertArrayEquals(weights(theirs), weights(ours));
    Random random = new Random(SEED);
    TensorVector tensors = theirs.parameters();
    org.bytedeco.pytorch.Optimizer own = torch.apply(tensors);
    try (Optimizer optimizer =
        panoptim.apply(TorchParameters.of(ours.named_parameters())).build()) {
      for (int step = 1; step <= STEPS; step++) {
        Batch batch = Batch.of(random, ROWS);
        own.zero_grad();
        theirs.loss(batch).backward();
        own.step();
        optimizer.zeroGrad(true);
        ours.loss(batch).backward();
        optimizer.step();
        // Rounding differs in the last bits. Later gradients depend on the weights.
        assertArrayEquals(
            weights(theirs), weights(ours), step == 1 ? 1e-7f : 1e-5f, "after step " + step);
      }
    }
  }

  /// What happens to gradients between two steps.
  private interface Between {
    void steps(TinyNet net, Optimizer optimizer);
  }

  private static Arguments between(String name, Between action) {
    return Arguments.of(Named.of(name, action));
  }

  private static Stream<Arguments> betweenSteps() {
    return Stream.of(
        between("kept by libtorch", (net, optimizer) -> net.zero_grad(false)),
        between("dropped by libtorch", (net, optimizer) -> net.zero_grad(true)),
        between("kept by the optimizer", (net, optimizer) -> optimizer.zeroGrad()),
        between("dropped by the optimizer", (net, optimizer) -> optimizer.zeroGrad(true)),
        between("freed by the garbage collector", TorchTrainingTest::collect));
  }

  private static void collect(TinyNet net, Optimizer optimizer) {
    net.zero_grad(true);
    System.gc();
  }

  private static float[] train(TinyNet net, Between between) {
    return train(AdamW.builder(TorchParameters.of(net.named_parameters())), net, between);
  }

  private static float[] train(OptimizerBuilder<?> builder, TinyNet net, Between between) {
    Random random = new Random(SEED);
    try (Optimizer optimizer = builder.build()) {
      for (int i = 0; i < STEPS; i++) {
        between.steps(net, optimizer);
        net.loss(Batch.of(random, ROWS)).backward();
        optimizer.step();
      }
    }
    return weights(net);
  }

  /// Gradients that a step leaves at zero are kept at their addresses.
  private static float[] trainWithZeroingSteps(TinyNet net) {
    return train(
        AdamW.builder(TorchParameters.of(net.named_parameters())).options(o -> o.zeroGrad(true)),
        net,
        (same, optimizer) -> {});
  }

  @ParameterizedTest
  @MethodSource("betweenSteps")
  void theBitsDoNotDependOnWhoDropsGradients(Between between) {
    float[] bits = trainWithZeroingSteps(TinyNet.ofSeed(SEED));
    assertArrayEquals(bits, train(TinyNet.ofSeed(SEED), between));
  }

  @Test
  void theBitsAreTheSameTensorByTensor() {
    TinyNet net = TinyNet.ofSeed(SEED);
    Random random = new Random(SEED);
    TorchParameters parameters = TorchParameters.of(net.named_parameters());
    try (Optimizer optimizer = AdamW.builder(parameters).build()) {
      for (int i = 0; i < STEPS; i++) {
        net.loss(Batch.of(random, ROWS)).backward();
        for (Parameter each : parameters.all().reversed()) {
          optimizer.step(each);
          each.removeGradient();
        }
      }
    }
    assertArrayEquals(trainWithZeroingSteps(TinyNet.ofSeed(SEED)), weights(net));
  }

  /// As long as old gradients are reachable, new ones are at other addresses.
  @Test
  void theBitsDoNotDependOnGradientsThatMove() {
    TinyNet net = TinyNet.ofSeed(SEED);
    TensorVector tensors = net.parameters();
    List<Tensor> old = new ArrayList<>();
    Set<Long> addresses = new HashSet<>();
    Between keepsOldOnes =
        (same, optimizer) -> {
          for (long i = 0; i < tensors.size() && tensors.get(i).grad().defined(); i++) {
            old.add(new Tensor(tensors.get(i).grad()));
            addresses.add(old.getLast().data_ptr().address());
          }
          net.zero_grad(true);
        };
    assertArrayEquals(trainWithZeroingSteps(TinyNet.ofSeed(SEED)), train(net, keepsOldOnes));
    assertEquals((STEPS - 1) * tensors.size(), addresses.size());
  }

  @Test
  void parametersKeepTensorsAlive() {
    TinyNet net = TinyNet.ofSeed(SEED);
    // The vector, whose elements the tensors are, is garbage after this line.
    List<Parameter> parameters = TorchParameters.of(net.parameters()).all();
    System.gc();
    Random random = new Random(SEED);
    try (Optimizer optimizer = AdamW.builder(parameters).build()) {
      for (int i = 0; i < STEPS; i++) {
        net.loss(Batch.of(random, ROWS)).backward();
        System.gc();
        optimizer.step();
        assertEquals(i + 1, optimizer.stepCount(parameters.getFirst()));
        optimizer.zeroGrad(true);
      }
    }
  }

  @Test
  void parametersOutliveThePointerScopeThatTheyWereMadeIn() {
    TinyNet net = TinyNet.ofSeed(SEED);
    TorchParameters parameters;
    long references = net.first.weight().use_count();
    try (PointerScope _ = new PointerScope()) {
      parameters = TorchParameters.of(net.named_parameters());
    }
    assertEquals(references + 1, net.first.weight().use_count());
    try (Optimizer optimizer = AdamW.builder(parameters).build()) {
      net.loss(Batch.of(new Random(SEED), ROWS)).backward();
      optimizer.step();
      assertEquals(1, optimizer.stepCount(parameters.get("first.weight")));
    }
  }

  @Test
  void tensorsAreFreedWithTheirParameters() throws Exception {
    Tensor tensor = torch.ones(3).set_requires_grad(true);
    long references = tensor.use_count();
    TorchParameters parameters = TorchParameters.of(List.of(tensor));
    assertEquals(references + 1, tensor.use_count());
    assertEquals(List.of(3L), parameters.get("0").shape());
    parameters = null;
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (tensor.use_count() > references && System.nanoTime() < deadline) {
      System.gc();
      Thread.sleep(10);
    }
    assertEquals(references, tensor.use_count());
  }
}
