package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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

  static Parameter parameter(Arena arena, String name, int size) {
    return Parameter.of(name, size, arena.allocate(4L * size, 4), arena.allocate(4L * size, 4));
  }

  static void fill(MemorySegment segment, float value) {
    float[] values = new float[(int) (segment.byteSize() / Float.BYTES)];
    Arrays.fill(values, value);
    segment.copyFrom(MemorySegment.ofArray(values));
  }

  static float at(Parameter parameter, long index) {
    return parameter.data().getAtIndex(JAVA_FLOAT, index);
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
        try (Parameters parameters =
                Parameters.builder().add("p", MatrixShapes.wide(size)).build();
            Optimizer optimizer =
                tested.builder().apply(parameters).backend(backend).threads(threads).build()) {
          Parameter p = parameters.get("p");
          fill(p.data(), 0.7f);
          for (int step = 1; step <= 3; step++) {
            fill(p.gradient(), 0.1f * step);
            optimizer.step();
          }
          int[] bits = p.data().toArray(JAVA_INT);
          int[] equal = new int[size];
          Arrays.fill(equal, bits[0]);
          int at = Arrays.mismatch(equal, bits);
          if (at >= 0) {
            throw new AssertionError(
                "%s, %s, %d threads: element %d is %s, the first %s"
                    .formatted(tested, backend.describe(), threads, at, at(p, at), at(p, 0)));
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
    try (Parameters parameters = Parameters.builder().add("p", 1, 2).build();
        Optimizer optimizer = tested.builder().apply(parameters).build()) {
      fill(parameters.get("p").gradient(), 1);
      optimizer.step();
      if (tested.firstStepOnlyMeasures()) {
        optimizer.step();
      }
      assertNotEquals(0, at(parameters.get("p"), 0));
    }
  }
}
