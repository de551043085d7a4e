package dev.panoptim.optim;

import static dev.panoptim.optim.GpuTest.withScalar;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.MemoryBudget;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Steps of some parameters on a GPU, and offloaded, give the bits of steps of all.
///
/// The test runs twice: on an emulated GPU, and on the machine's own GPU if there is one.
@Tag("gpu")
class GpuPartialStepsTest {
  private static final long SEED = System.nanoTime();

  static {
    System.out.println("GpuPartialStepsTest: seed " + SEED);
  }

  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  static List<Case> cases() {
    return MixedCases.onGpus();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void randomTrainingsGiveTheBitsOfWholeSteps(Case tested) {
    boolean both = Boolean.getBoolean("panoptim.exhaustive");
    for (boolean extras : both ? new boolean[] {false, true} : new boolean[] {true}) {
      PartialTraining training = new PartialTraining(SEED, extras);
      Map<String, int[]> expected = training.reference(tested);
      for (Backend backend : Problem.gpuBackends()) {
        String difference = Problem.difference(expected, training.run(tested, backend, 2));
        assertNull(difference, () -> tested + " on " + backend + ", " + training);
      }
    }
  }

  /// When the next step begins, the host does not know yet whether the GPU skipped the last whole
  /// step.
  @Test
  void aStepOfSomeParametersCountsASkippedStepBefore() {
    for (Backend backend : withScalar()) {
      try (Parameters parameters =
              Parameters.builder().add("a", 5).add("b", 9).device(backend.device()).build();
          Optimizer optimizer = NAdam.builder(parameters).backend(backend).build()) {
        Parameter a = parameters.get("a");
        for (float value : new float[] {1, Float.NaN, 1}) {
          float[] gradient = new float[5];
          Arrays.fill(gradient, value);
          a.copyGradientFrom(MemorySegment.ofArray(gradient));
          optimizer.options().skipNonFinite(true);
          optimizer.step();
          Arrays.fill(gradient, 1);
          a.copyGradientFrom(MemorySegment.ofArray(gradient));
          optimizer.options().skipNonFinite(false);
          optimizer.step(a);
        }
        assertEquals(5, optimizer.stepCount(a), backend::toString);
        assertEquals(2, optimizer.stepCount(parameters.get("b")), backend::toString);
      }
    }
  }

  @Test
  void gradientsAreZeroedAfterStepsOfSomeParameters() {
    for (Backend backend : Problem.gpuBackends()) {
      try (Parameters parameters =
              Parameters.builder().add("a", 5).add("b", 9).device(backend.device()).build();
          Optimizer optimizer = Sgd.builder(parameters).backend(backend).build()) {
        for (int step = 0; step < 3; step++) {
          for (Parameter each : parameters) {
            each.device().fill(each.gradient(), each.size(), 1);
          }
          if (step == 1) {
            optimizer.step();
          }
          optimizer.step(parameters.get("a"));
          optimizer.zeroGrad();
          for (Parameter each : parameters) {
            int[] gradient = new int[(int) each.size()];
            Arrays.fill(gradient, -1);
            each.copyGradientTo(MemorySegment.ofArray(gradient));
            assertArrayEquals(new int[gradient.length], gradient, backend + " at " + step);
          }
        }
      }
    }
  }

  /// Pinned memory and streams are scarce, so the plans of other parameters take over the buffers
  /// of earlier plans.
  @Test
  void offloadedStepsShareTheirBuffers() {
    Device gpu = Device.cuda(0);
    int size = 100_000;
    for (Backend backend : Problem.gpuBackends().subList(1, 3)) {
      Parameters.Builder builder = Parameters.builder().device(gpu);
      for (int i = 0; i < 20; i++) {
        builder.add("p" + i, size);
      }
      try (Parameters parameters = builder.build();
          Optimizer optimizer = Sgd.builder(parameters).backend(backend).build()) {
        long before = MemoryBudget.held(MemoryKind.TABLES);
        for (int i = 0; i < 60; i++) {
          optimizer.step(parameters.get("p" + i % 20));
        }
        long held = MemoryBudget.held(MemoryKind.TABLES) - before;
        // Three slots of data and gradients, or of gradients and a master copy; tables are small.
        assertTrue(held <= 7L * size * Float.BYTES, backend + " holds " + held);
        assertEquals(3, optimizer.stepCount(parameters.get("p7")));
      }
    }
  }
}
