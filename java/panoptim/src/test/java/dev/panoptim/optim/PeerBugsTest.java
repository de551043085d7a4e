package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Defects of other libraries, each as a test. The test's name contains the library's name.
class PeerBugsTest {
  static List<Case> cases() {
    return OptimizerCases.cases();
  }

  private static Parameter parameter(Arena arena, String name, int size) {
    return Parameter.of(name, size, arena.allocate(4L * size, 4), arena.allocate(4L * size, 4));
  }

  private static void fill(MemorySegment segment, float value) {
    for (long i = 0; i < segment.byteSize() / Float.BYTES; i++) {
      segment.setAtIndex(JAVA_FLOAT, i, value);
    }
  }

  private static float at(Parameter parameter, long index) {
    return parameter.data().getAtIndex(JAVA_FLOAT, index);
  }

  /// PyTorch's fused step updates a column as if its elements were contiguous, and overwrites the
  /// neighbouring columns. Here a parameter is a contiguous segment whose size must match its
  /// elements, and the memory around it does not change.
  @Test
  void pyTorchFusedUpdatesTheNeighboursOfAStridedParameter() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment matrix = arena.allocate(4 * 64 * 3, 64);
      fill(matrix, 1);
      // 64 elements with a stride of three span 190 elements of the matrix.
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Parameter.of("column", 64, matrix.asSlice(0, 4 * 190)));
      assertEquals(
          "data of 'column' has 760 bytes, but must have 256 for 64 elements", e.getMessage());
      Parameter row = Parameter.of("row", 64, matrix.asSlice(256, 256), arena.allocate(256, 4));
      fill(row.gradient(), 1);
      for (Backend backend : Problem.backends()) {
        try (Optimizer optimizer = AdamW.builder(List.of(row)).backend(backend).build()) {
          optimizer.step();
        }
      }
      for (int i = 0; i < 64; i++) {
        assertEquals(1, matrix.getAtIndex(JAVA_FLOAT, i));
        assertNotEquals(1, matrix.getAtIndex(JAVA_FLOAT, 64 + i));
        assertEquals(1, matrix.getAtIndex(JAVA_FLOAT, 128 + i));
      }
    }
  }

  /// DeepSpeed's vectorized Lion moved by 1e-35 instead of 1e-3. Its test compared only norms.
  @Test
  void deepSpeedsLionHardlyMoves() {
    try (Arena arena = Arena.ofConfined()) {
      for (Backend backend : Problem.backends()) {
        Parameter p = parameter(arena, "p", 67);
        for (long i = 0; i < 67; i++) {
          p.gradient().setAtIndex(JAVA_FLOAT, i, i == 33 ? 0 : i - 33);
        }
        try (Optimizer optimizer =
            Lion.builder(List.of(p)).learningRate(1e-3).backend(backend).build()) {
          optimizer.step();
        }
        for (long i = 0; i < 67; i++) {
          assertEquals(i == 33 ? 0 : i < 33 ? 1e-3f : -1e-3f, at(p, i), backend + ", element " + i);
        }
      }
    }
  }

  /// DeepSpeed's vectorized loop rounds differently from its scalar tail, and the place of IPEX's
  /// tail depends on the number of threads. Equal elements must stay equal at every position.
  @ParameterizedTest
  @MethodSource("cases")
  void deepSpeedsTailRoundsOtherwise(Case tested) {
    int size = 40_037;
    for (Backend backend : Problem.backends()) {
      for (int threads = 1; threads <= 3; threads++) {
        try (Parameters parameters = Parameters.builder().add("p", size).build();
            Optimizer optimizer =
                tested.builder().apply(parameters).backend(backend).threads(threads).build()) {
          Parameter p = parameters.get("p");
          fill(p.data(), 0.7f);
          for (int step = 1; step <= 3; step++) {
            fill(p.gradient(), 0.1f * step);
            optimizer.step();
          }
          float first = at(p, 0);
          for (long i = 1; i < size; i++) {
            if (Float.floatToRawIntBits(at(p, i)) != Float.floatToRawIntBits(first)) {
              throw new AssertionError(
                  "%s, %s, %d threads: element %d is %s, the first %s"
                      .formatted(tested, backend.describe(), threads, i, at(p, i), first));
            }
          }
        }
      }
    }
  }

  /// DeepSpeed's Adagrad adds the decay to the sum of squares but not to the numerator.
  @Test
  void deepSpeedsAdagradDividesAGradientWithoutDecay() {
    try (Parameters parameters = Parameters.builder().add("p", 1).build();
        Optimizer optimizer =
            Adagrad.builder(parameters).learningRate(0.5).weightDecay(0.25).build()) {
      Parameter p = parameters.get("p");
      fill(p.data(), 4);
      fill(p.gradient(), 1);
      optimizer.step();
      // (1 + 0.25 * 4) / sqrt((1 + 0.25 * 4)^2) is 1; without the decay in the numerator it would
      // be 0.5.
      assertEquals(3.5f, at(p, 0), 1e-6f);
    }
  }

  /// DeepSpeed and bitsandbytes accept `amsgrad` and ignore it.
  @Test
  void deepSpeedIgnoresAmsgrad() {
    float[] after = new float[2];
    for (int k = 0; k < 2; k++) {
      try (Parameters parameters = Parameters.builder().add("p", 1).build();
          Optimizer optimizer = Adam.builder(parameters).amsgrad(k == 1).betas(0.9, 0.5).build()) {
        Parameter p = parameters.get("p");
        for (int step = 0; step < 10; step++) {
          fill(p.gradient(), step == 0 ? 10 : 0.1f);
          optimizer.step();
        }
        assertEquals(k == 1, optimizer.state(p).containsKey("maximum"));
        after[k] = at(p, 0);
      }
    }
    // The maximum remembers the large first gradient, so that the steps stay small.
    assertTrue(Math.abs(after[1]) < 0.8 * Math.abs(after[0]), after[0] + " and " + after[1]);
  }

  /// DJL corrects every parameter's bias with the largest step count of all parameters.
  @Test
  void djlCorrectsTheBiasByAnotherParametersStep() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter early = parameter(arena, "early", 1);
      Parameter late = parameter(arena, "late", 1);
      MemorySegment gradient = late.gradient();
      late.removeGradient();
      fill(early.gradient(), 1);
      fill(gradient, 1);
      try (Optimizer optimizer = Adam.builder(List.of(early, late)).learningRate(0.5).build()) {
        for (int i = 0; i < 50; i++) {
          optimizer.step();
        }
        late.setGradient(gradient);
        optimizer.step();
        // Adam's first step is as long as the learning rate.
        assertEquals(-0.5f, at(late, 0), 1e-6f);
      }
    }
  }

  /// PyTorch restores states by position, so that parameters in another order get the wrong states.
  @Test
  void pyTorchRestoresByPosition() {
    try (Arena arena = Arena.ofConfined()) {
      List<Parameter> order = List.of(parameter(arena, "a", 3), parameter(arena, "b", 3));
      fill(order.get(0).gradient(), 1);
      fill(order.get(1).gradient(), 2);
      try (Optimizer from = Sgd.builder(order).momentum(0.9).build();
          Optimizer to = Sgd.builder(order.reversed()).momentum(0.9).build()) {
        from.step();
        to.loadStateDict(from.stateDict());
        for (Parameter each : order) {
          MemorySegment momentum = to.state(each).get("firstMoment");
          assertEquals(each.name().equals("a") ? 1 : 2, momentum.getAtIndex(JAVA_FLOAT, 0));
        }
      }
    }
  }

  /// PyTorch loads a state of another shape without an error and fails at the next step. It also
  /// loads SGD's state into Adam.
  @Test
  void pyTorchLoadsWhatDoesNotFit() {
    try (Arena arena = Arena.ofConfined()) {
      List<Parameter> three = List.of(parameter(arena, "p", 3));
      List<Parameter> four = List.of(parameter(arena, "p", 4));
      try (Optimizer small = Adam.builder(three).build();
          Optimizer large = Adam.builder(four).build();
          Optimizer sgd = Sgd.builder(four).momentum(0.9).build()) {
        small.step();
        sgd.step();
        var size =
            assertThrows(
                IllegalArgumentException.class, () -> large.loadStateDict(small.stateDict()));
        assertTrue(
            size.getMessage().contains("'p' has 3 elements, but 4 in the optimizer"),
            size.getMessage());
        var kind =
            assertThrows(
                IllegalArgumentException.class, () -> large.loadStateDict(sgd.stateDict()));
        assertTrue(kind.getMessage().contains("it is of the rule"), kind.getMessage());
        assertEquals(0, large.stepCount(four.getFirst()));
      }
    }
  }

  /// PyTorch's state dict is the live state, which changes at the next step.
  @ParameterizedTest
  @MethodSource("cases")
  void pyTorchsStateDictIsAnAlias(Case tested) {
    try (Parameters parameters = Parameters.builder().add("p", 9).build();
        Optimizer optimizer = tested.builder().apply(parameters).build()) {
      fill(parameters.get("p").gradient(), 0.5f);
      optimizer.step();
      StateDict.ParameterState saved = optimizer.stateDict().parameters().get("p");
      Map<String, float[]> then = new LinkedHashMap<>();
      saved.states().forEach((name, state) -> then.put(name, state.toArray(JAVA_FLOAT)));
      optimizer.paramGroups().getFirst().setLearningRate(9);
      optimizer.step();
      assertEquals(1, saved.steps());
      assertNotEquals(9.0, saved.hyperparameters().get(Hyperparameter.LEARNING_RATE));
      then.forEach(
          (name, before) ->
              assertEquals(
                  -1, MemorySegment.ofArray(before).mismatch(saved.states().get(name)), name));
    }
  }

  /// PyTorch casts the state to the parameter's type. Here states are float32; other sizes are
  /// rejected.
  @Test
  void pyTorchCastsState() {
    try (Arena arena = Arena.ofConfined()) {
      List<Parameter> p = List.of(parameter(arena, "p", 3));
      try (Optimizer optimizer = Sgd.builder(p).momentum(0.9).build()) {
        optimizer.step();
        StateDict good = optimizer.stateDict();
        var state = good.parameters().get("p");
        // The sizes of three doubles, and of three half-precision numbers.
        for (long bytes : new long[] {24, 6}) {
          StateDict other =
              new StateDict(
                  good.rule(),
                  Map.of(
                      "p",
                      new StateDict.ParameterState(
                          3,
                          1,
                          1,
                          state.hyperparameters(),
                          Map.of("firstMoment", arena.allocate(bytes, 8)))));
          var e =
              assertThrows(IllegalArgumentException.class, () -> optimizer.loadStateDict(other));
          assertTrue(
              e.getMessage().contains("has " + bytes + " bytes, but must have 12"), e.getMessage());
        }
      }
    }
  }

  /// PyTorch checks the arguments of its constructor, but not those of a group, and accepts NaN.
  @Test
  void pyTorchTakesAnyOverrideOfAGroup() {
    try (Arena arena = Arena.ofConfined()) {
      List<Parameter> p = List.of(parameter(arena, "p", 1));
      List<Parameter> q = List.of(parameter(arena, "q", 1));
      for (double value : new double[] {-5, Double.NaN, Double.POSITIVE_INFINITY}) {
        Map<Hyperparameter, Double> overrides = Map.of(Hyperparameter.LEARNING_RATE, value);
        assertThrows(
            IllegalArgumentException.class, () -> Sgd.builder(p).group(q, overrides).build());
        try (Optimizer optimizer = Sgd.builder(p).build()) {
          assertThrows(IllegalArgumentException.class, () -> optimizer.addParamGroup(q, overrides));
          assertEquals(1, optimizer.paramGroups().size());
        }
      }
      assertThrows(
          IllegalArgumentException.class,
          () ->
              Sgd.builder(p).momentum(0.9).group(q, Map.of(Hyperparameter.MOMENTUM, -1.0)).build());
      // PyTorch ignores a misspelt key. Here a hyperparameter that the optimizer does not have is
      // rejected.
      assertThrows(
          IllegalArgumentException.class,
          () -> Sgd.builder(p).group(q, Map.of(Hyperparameter.BETA1, 0.9)).build());
    }
  }

  /// PyTorch counts steps in float32, which stops at 2^24.
  @Test
  void pyTorchStopsCountingAt16777216Steps() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter p = parameter(arena, "p", 1);
      try (Optimizer optimizer = Adam.builder(List.of(p)).build()) {
        optimizer.step();
        StateDict dict = optimizer.stateDict();
        var state = dict.parameters().get("p");
        for (long count : new long[] {1L << 24, 1L << 40}) {
          optimizer.loadStateDict(
              new StateDict(
                  dict.rule(),
                  Map.of(
                      "p",
                      new StateDict.ParameterState(
                          1, count, 1, state.hyperparameters(), state.states()))));
          optimizer.step();
          optimizer.step();
          assertEquals(count + 2, optimizer.stepCount(p));
        }
      }
    }
  }

  /// PyTorch's centered RMSprop becomes NaN at step 1207 of a constant gradient, when a rounding
  /// makes the variance negative.
  ///
  /// This gradient, found by search, causes such a rounding after 21 steps with this alpha.
  @Test
  void pyTorchsCenteredRmsPropTurnsNaN() {
    for (Backend backend : Problem.backends()) {
      try (Parameters parameters = Parameters.builder().add("p", 33).build();
          Optimizer optimizer =
              RmsProp.builder(parameters).centered(true).alpha(0.5).backend(backend).build()) {
        Parameter p = parameters.get("p");
        fill(p.gradient(), 5.7349005f);
        for (int step = 0; step < 100; step++) {
          optimizer.step();
        }
        for (long i = 0; i < 33; i++) {
          assertTrue(Float.isFinite(at(p, i)), backend + ", element " + i + " is " + at(p, i));
        }
      }
    }
  }

  /// DJL clips only from above: -5 stays -5.
  @Test
  void djlClipsOnlyFromAbove() {
    try (Arena arena = Arena.ofShared()) {
      for (Backend backend : Problem.backends()) {
        Parameter p = parameter(arena, "p", 20);
        for (long i = 0; i < 20; i++) {
          p.gradient().setAtIndex(JAVA_FLOAT, i, i % 2 == 0 ? -5 : 5);
        }
        try (Optimizer optimizer =
            Sgd.builder(List.of(p))
                .learningRate(1)
                .backend(backend)
                .options(o -> o.clipGradValue(1))
                .build()) {
          optimizer.step();
        }
        for (long i = 0; i < 20; i++) {
          assertEquals(i % 2 == 0 ? 1 : -1, at(p, i), backend + ", element " + i);
        }
      }
    }
  }

  /// DeepSpeed skips a step without a report, so that a run without any update went unnoticed.
  @Test
  void deepSpeedSkipsAStepUnseen() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter p = parameter(arena, "p", 3);
      fill(p.gradient(), Float.NaN);
      try (Optimizer optimizer =
          AdamW.builder(List.of(p)).options(o -> o.skipNonFinite(true)).build()) {
        StepReport report = optimizer.step();
        assertTrue(report.skipped());
        assertEquals(0, report.updatedParameters());
        assertEquals("StepReport[skipped: a gradient is not finite]", report.toString());
        assertEquals(0, optimizer.stepCount(p));
      }
    }
  }

  /// The usual OpenMP runtime keeps a team of threads for each calling thread: N request threads of
  /// a server with ND4J start N times T threads.
  @Test
  void nd4jHasATeamForEachCallingThread() throws Exception {
    int callers = 16;
    CountDownLatch stepped = new CountDownLatch(callers);
    CountDownLatch counted = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    int before = threadsOfTheProcess();
    for (int k = 0; k < callers; k++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (Parameters parameters = Parameters.builder().add("p", 100_000).build();
                        Optimizer optimizer = AdamW.builder(parameters).threads(2).build()) {
                      for (int step = 0; step < 50; step++) {
                        optimizer.step();
                      }
                      stepped.countDown();
                      counted.await();
                    } catch (InterruptedException e) {
                      throw new IllegalStateException(e);
                    }
                  }));
    }
    assertTrue(stepped.await(60, TimeUnit.SECONDS), "a caller has failed");
    int more = threadsOfTheProcess() - before;
    counted.countDown();
    for (Thread each : threads) {
      each.join();
    }
    // The callers, the 3 helpers of the pool, and threads that the JVM starts meanwhile.
    assertTrue(more <= callers + 3 + 5, more + " threads more");
  }

  private static int threadsOfTheProcess() throws IOException {
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      return (int) tasks.count();
    }
  }

  /// DJL's RMSprop, Adagrad, Adadelta and NAG throw.
  @ParameterizedTest
  @MethodSource("cases")
  void djlsOptimizersThrow(Case tested) {
    try (Parameters parameters = Parameters.builder().add("p", 2).build();
        Optimizer optimizer = tested.builder().apply(parameters).build()) {
      fill(parameters.get("p").gradient(), 1);
      optimizer.step();
      assertNotEquals(0, at(parameters.get("p"), 0));
    }
  }
}
