package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/// Asserts that code allocates nothing on the calling thread.
public final class Allocations {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int MOST_ROUNDS = 200;
  private static final int QUIET_ROUNDS = 3;

  private Allocations() {}

  /// Runs rounds of an action until three in a row allocate nothing. Code that is not compiled yet
  /// may allocate.
  ///
  /// @param times the number of actions in a round
  public static void assertNone(String what, int times, Runnable action) {
    long allocated = Long.MAX_VALUE;
    int quiet = 0;
    for (int round = 0; round < MOST_ROUNDS && quiet < QUIET_ROUNDS; round++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < times; i++) {
        action.run();
      }
      allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      quiet = allocated == 0 ? quiet + 1 : 0;
    }
    assertEquals(0, allocated, what + ", bytes in " + times + " times");
  }
}
