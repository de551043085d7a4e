package dev.panoptim.checkpoint;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Adadelta;
import dev.panoptim.optim.Adafactor;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Adamax;
import dev.panoptim.optim.Asgd;
import dev.panoptim.optim.NAdam;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.RAdam;
import dev.panoptim.optim.RAdamW;
import dev.panoptim.optim.RmsProp;
import dev.panoptim.optim.Rprop;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.safetensors.DType;
import dev.panoptim.safetensors.SafetensorsFile;
import dev.panoptim.safetensors.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Exchanges a training with PyTorch after 20 of 40 steps, in both directions. The result is
/// compared with 40 steps of PyTorch alone. `make.py` in the folder of the goldens documents how
/// they were made.
class TorchExchangeTest {
  private static final Path GOLDENS = Path.of("src/test/goldens");

  /// The folder in which `make.py` finds the checkpoints that this test wrote.
  private static final Path WRITTEN = Path.of("target/exchange");

  private static final int STEPS = 40;
  private static final int HALF = 20;
  private static final Map<Hyperparameter, Double> SECOND_DECAY =
      Map.of(Hyperparameter.WEIGHT_DECAY, 0.2);

  /// For Rprop, which has no weight decay.
  private static final Map<Hyperparameter, Double> SECOND_ETAS =
      Map.of(Hyperparameter.ETA_MINUS, 0.6, Hyperparameter.ETA_PLUS, 1.1);

  /// The allowed ratio of our distance from float64 to the distance of PyTorch's own float32: the
  /// two round differently.
  private static final double FURTHER = 1.25;

  private static final Map<String, Function<Iterable<Parameter>, OptimizerBuilder<?>>> CASES =
      new LinkedHashMap<>();

  static {
    CASES.put("sgd", p -> Sgd.builder(p).learningRate(0.1));
    CASES.put(
        "sgd-momentum",
        p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).dampening(0.5).maximize(true));
    CASES.put(
        "sgd-nesterov",
        p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).nesterov(true).weightDecay(0.1));
    CASES.put(
        "adagrad",
        p -> Adagrad.builder(p).learningRate(0.1).learningRateDecay(0.1).initialAccumulator(0.5));
    CASES.put("rmsprop", p -> RmsProp.builder(p).learningRate(0.01).alpha(0.9));
    CASES.put(
        "rmsprop-centered-momentum",
        p -> RmsProp.builder(p).learningRate(0.01).centered(true).momentum(0.9));
    CASES.put("adadelta", p -> Adadelta.builder(p).learningRate(1).rho(0.8).weightDecay(0.1));
    CASES.put("adam", p -> Adam.builder(p).learningRate(0.1).weightDecay(0.1));
    CASES.put("adam-amsgrad", p -> Adam.builder(p).learningRate(0.1).amsgrad(true));
    CASES.put(
        "adamw",
        p -> AdamW.builder(p).learningRate(0.01).weightDecay(0.5).betas(0.8, 0.9).epsilon(1e-3));
    CASES.put(
        "adamw-amsgrad",
        p -> AdamW.builder(p).learningRate(0.01).weightDecay(0.01).amsgrad(true).maximize(true));
    CASES.put("nadam", p -> NAdam.builder(p).learningRate(0.1));
    CASES.put(
        "nadam-decoupled",
        p -> NAdam.builder(p).learningRate(0.01).weightDecay(0.1).decoupledWeightDecay(true));
    CASES.put("radam", p -> RAdam.builder(p).learningRate(0.1).betas(0.8, 0.95).epsilon(1e-3));
    CASES.put("radam-decoupled", p -> RAdamW.builder(p).learningRate(0.01).weightDecay(0.1));
    CASES.put("adamax", p -> Adamax.builder(p).learningRate(0.1).betas(0.8, 0.9).weightDecay(0.1));
    CASES.put("asgd", p -> Asgd.builder(p).learningRate(0.1));
    CASES.put(
        "asgd-average",
        p ->
            Asgd.builder(p)
                .learningRate(0.1)
                .lambd(0.01)
                .power(0.5)
                .averagingStart(10)
                .weightDecay(0.1)
                .maximize(true));
    CASES.put("adafactor", p -> Adafactor.builder(p).weightDecay(0.1));
    CASES.put("rprop", p -> Rprop.builder(p).learningRate(0.01));
    CASES.put(
        "rprop-sizes",
        p ->
            Rprop.builder(p)
                .learningRate(0.01)
                .etas(0.4, 1.3)
                .stepSizes(1e-3, 0.05)
                .maximize(true));
  }

  @TempDir Path temporary;

  static Set<String> cases() {
    return CASES.keySet();
  }

  /// Panoptim's side of the training.
  private static final class Ours implements AutoCloseable {
    final Parameters parameters;
    final Optimizer optimizer;
    final SafetensorsFile training;
    final Arena arena = Arena.ofConfined();

    Ours(String name, Path goldens) {
      // The shape matters to Adafactor alone.
      long[] weight = name.equals("adafactor") ? new long[] {20, 10} : new long[] {200};
      parameters = Parameters.builder().add("layer.weight", weight).add("layer.bias", 100).build();
      training = SafetensorsFile.map(goldens.resolve("training.safetensors"), arena);
      List<Parameter> all = parameters.all();
      optimizer =
          CASES
              .get(name)
              .apply(all.subList(0, 1))
              .group(all.subList(1, 2), name.startsWith("rprop") ? SECOND_ETAS : SECOND_DECAY)
              .backend(Backends.scalar())
              .build();
      for (Parameter each : parameters) {
        each.data().copyFrom(training.tensor("start/" + each.name()).data());
      }
    }

    void train(int first, int last) {
      for (int step = first; step < last; step++) {
        for (Parameter each : parameters) {
          long bytes = each.data().byteSize();
          each.gradient()
              .copyFrom(
                  training.tensor("gradients/" + each.name()).data().asSlice(step * bytes, bytes));
        }
        optimizer.step();
      }
    }

    /// The parameters, then ASGD's averages of them.
    double[] values() {
      return Stream.concat(
              parameters.all().stream().map(Parameter::data),
              parameters.all().stream()
                  .map(each -> optimizer.state(each).get("parameterAverage"))
                  .filter(Objects::nonNull))
          .flatMapToDouble(each -> doubles(each, DType.F32))
          .toArray();
    }

    @Override
    public void close() {
      optimizer.close();
      parameters.close();
      arena.close();
    }
  }

  private static DoubleStream doubles(MemorySegment data, DType type) {
    return LongStream.range(0, data.byteSize() * 8 / type.bits())
        .mapToDouble(
            i ->
                type == DType.F64
                    ? data.getAtIndex(JAVA_DOUBLE_UNALIGNED, i)
                    : data.getAtIndex(JAVA_FLOAT, i));
  }

  private static double[] expected(Path goldens, String name, String which) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor tensor =
          SafetensorsFile.map(goldens.resolve(name + ".expected.safetensors"), arena).tensor(which);
      return doubles(tensor.data(), tensor.dtype()).toArray();
    }
  }

  private static void assertAsNearAsPyTorch(Path goldens, String name, double[] values) {
    double[] truth = expected(goldens, name, "truth");
    double theirs = distance(expected(goldens, name, "rounded"), truth);
    double ours = distance(values, truth);
    assertTrue(
        ours <= FURTHER * theirs,
        () -> name + " is off by " + ours + ", but PyTorch in float32 by " + theirs);
  }

  private static double distance(double[] values, double[] truth) {
    assertEquals(truth.length, values.length);
    double squares = 0;
    for (int i = 0; i < truth.length; i++) {
      squares += (values[i] - truth[i]) * (values[i] - truth[i]);
    }
    return Math.sqrt(squares / truth.length);
  }

  private static void continuePyTorch(Path goldens, String name) {
    try (Ours ours = new Ours(name, goldens);
        Checkpoint theirs = Checkpoint.open(goldens.resolve(name + ".torch20.safetensors"))) {
      // Three other steps first, so that the loaded state differs from the state before.
      ours.train(0, 3);
      theirs.load(Training.of(ours.optimizer));
      assertEquals(HALF, theirs.step());
      ours.train(HALF, STEPS);
      assertAsNearAsPyTorch(goldens, name, ours.values());
    }
  }

  /// @return the file of our checkpoint after 20 steps, in [#WRITTEN]
  private static Path write(String name) throws IOException {
    try (Ours ours = new Ours(name, GOLDENS)) {
      ours.train(0, HALF);
      Path folder = WRITTEN.resolve(name);
      Path saved = CheckpointFolder.of(folder, 1).save(Training.of(ours.optimizer), HALF, Map.of());
      return Files.move(
          saved,
          WRITTEN.resolve(name + ".ours20.safetensors"),
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void continuesATrainingOfPyTorch(String name) {
    continuePyTorch(GOLDENS, name);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void pyTorchContinuesOurTraining(String name) throws IOException {
    try (Checkpoint written = Checkpoint.open(write(name));
        Checkpoint golden = Checkpoint.open(GOLDENS.resolve(name + ".ours20.safetensors"))) {
      // The golden that PyTorch continued from must be equal to what we save today.
      assertEquals(unversioned(golden.document()), unversioned(written.document()));
      assertEquals(bits(golden), bits(written));
    }
    assertAsNearAsPyTorch(GOLDENS, name, expected(GOLDENS, name, "continued"));
  }

  private static TrainingDocument unversioned(TrainingDocument document) {
    return new TrainingDocument(
        "", document.step(), document.parameters(), document.scheduler(), document.extras());
  }

  private static Map<String, List<Byte>> bits(Checkpoint checkpoint) {
    Map<String, List<Byte>> all = new LinkedHashMap<>();
    checkpoint.parameters().forEach((name, data) -> all.put(name, bytes(data)));
    checkpoint
        .stateDict()
        .parameters()
        .forEach(
            (name, state) ->
                state.states().forEach((kind, data) -> all.put(kind + "/" + name, bytes(data))));
    return all;
  }

  private static List<Byte> bytes(MemorySegment data) {
    return data.elements(JAVA_BYTE).map(each -> each.get(JAVA_BYTE, 0)).toList();
  }

  /// The same exchange with the installed PyTorch of any version.
  @Test
  void withALivePyTorchBothWays() throws Exception {
    String python = Optional.ofNullable(System.getProperty("panoptim.python")).orElse("");
    assumeFalse(python.isEmpty(), "-Dpython names no Python with torch and safetensors");
    for (String name : CASES.keySet()) {
      write(name);
    }
    Process process =
        new ProcessBuilder(
                python,
                GOLDENS.resolve("make.py").toString(),
                WRITTEN.toString(),
                temporary.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), output);
    for (String name : CASES.keySet()) {
      continuePyTorch(temporary, name);
      assertAsNearAsPyTorch(temporary, name, expected(temporary, name, "continued"));
    }
  }
}
