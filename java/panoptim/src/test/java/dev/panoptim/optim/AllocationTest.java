package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameters;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A step leaves nothing to the garbage collector, once it has been compiled. The vector backend is
/// not among them: whether its vectors stay off the heap is up to the compiler, each time anew.
class AllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int STEPS = 2000;
  private static final int ROUNDS = 200;

  static List<Case> cases() {
    return Description.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aStepAllocatesNothing(Case tested) {
    assertAllocatesNothing(tested, "native");
    assertAllocatesNothing(tested, "scalar");
  }

  /// Rounds are made until one allocates nothing: before, the compiler has not come to it.
  private static void assertAllocatesNothing(Case tested, String backend) {
    try (Parameters parameters =
            Parameters.builder().add("a", 5).add("b", 33).add("empty", 0).build();
        Optimizer optimizer =
            tested
                .builder()
                .apply(parameters)
                .threads(1)
                .backend(Backends.named(backend))
                .build()) {
      long allocated = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && allocated > 0; round++) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < STEPS; i++) {
          optimizer.step();
        }
        allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      }
      assertEquals(0, allocated, backend + ", bytes in " + STEPS + " steps");
    }
  }
}
