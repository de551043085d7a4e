package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertNull;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// On a GPU, steps whose factors are measured wait for the norm decision and for the measures.
@Tag("gpu")
class MeasuredGpuTest {
  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  static List<Case> cases() {
    return MeasuredStepTest.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aGpuHasTheSameBitsWithOptions(Case tested) {
    Problem problem = new Problem(new long[] {0, 1, 77, 16384, 40_005}, 1, 7, 3, false);
    Map<String, int[]> expected = problem.run(tested, Backends.scalar(), 1);
    for (Backend backend : Problem.gpuBackends()) {
      String difference = Problem.difference(expected, problem.run(tested, backend, 2));
      assertNull(difference, () -> "%s on %s, %s".formatted(tested, backend, problem));
    }
  }
}
