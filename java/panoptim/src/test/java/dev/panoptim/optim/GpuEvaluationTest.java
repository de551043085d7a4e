package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.EmulatedCuda;
import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.CudaException;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Schedule-free parameters on a GPU, and offloaded, move to the average and back with the bits of
/// the CPU.
@Tag("gpu")
class GpuEvaluationTest {
  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  @AfterEach
  void succeedAgain() {
    EmulatedCuda.succeed();
  }

  @ParameterizedTest
  @MethodSource("dev.panoptim.optim.EvaluationTest#problems")
  void theBitsAreThoseOfTheCpu(Problem problem) {
    Map<String, int[]> expected = EvaluationTest.run(problem, Backends.scalar(), 1);
    for (Backend backend : Problem.gpuBackends(Backends.nativeCode())) {
      assertNull(
          Problem.difference(expected, EvaluationTest.run(problem, backend, 2)),
          () -> problem + " on " + backend.describe());
    }
  }

  /// Each parameter knows where it lies, so a second call completes the first.
  @Test
  void aFailedCallCanBeRepeated() {
    EmulatedCuda.need();
    for (Backend backend : Problem.gpuBackends()) {
      int failures = 0;
      boolean failed;
      do {
        try (Parameters expected = Parameters.builder().add("a", 9).add("b", 33).build();
            Parameters actual =
                Parameters.builder().add("a", 9).add("b", 33).device(backend.device()).build();
            Optimizer onCpu = ScheduleFreeSgd.builder(expected).build();
            Optimizer optimizer = ScheduleFreeSgd.builder(actual).backend(backend).build()) {
          for (Parameter each : expected) {
            GoldenTest.fill(each.gradient(), 1, true);
            actual.get(each.name()).copyGradientFrom(each.gradient());
          }
          onCpu.step();
          onCpu.eval();
          optimizer.step();
          optimizer.await();
          EmulatedCuda.failAfter(failures, EmulatedCuda.ILLEGAL_ADDRESS);
          failed = false;
          try {
            optimizer.eval();
          } catch (CudaException e) {
            failed = true;
            failures++;
          }
          EmulatedCuda.succeed();
          optimizer.eval();
          assertFalse(optimizer.isTraining());
          for (Parameter each : actual) {
            MemorySegment here = each.device().copyOf(each.data(), each.size() * Float.BYTES);
            long at = expected.get(each.name()).data().mismatch(here);
            assertEquals(-1, at, each.name() + " after a failure at call " + failures);
          }
        }
      } while (failed);
      assertTrue(failures > 3, "there are only " + failures + " calls of CUDA");
    }
  }
}
