package dev.panoptim.internal.parallel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;

/// Helpers of the pool and plans for them. The pool has 3 threads for steps of 4 threads.
abstract class HelperPoolFixture {
  /// Waits until all helpers are idle. A step offers its work only once, and helpers that are still
  /// returning from other work would miss it.
  @BeforeEach
  void awaitIdleHelpers() throws InterruptedException {
    long start = System.nanoTime();
    for (Thread each : helpers()) {
      while (each.isAlive() && !isIdle(each)) {
        assertTrue(System.nanoTime() - start < 30_000_000_000L, each + " is still busy");
        Thread.sleep(1);
      }
    }
  }

  static List<Thread> helpers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(each -> each.getName().startsWith("panoptim-"))
        .toList();
  }

  /// Whether a helper waits for work. Inside of work, a helper parks with another blocker.
  static boolean isIdle(Thread helper) {
    Object blocker = LockSupport.getBlocker(helper);
    return blocker != null && blocker.getClass().getEnclosingClass() == HelperPool.class;
  }

  static StepPlan plan(Arena arena, long elements) {
    return StepPlan.of(
            Rule.builder().build(),
            List.of(
                List.of(
                    new StepPlan.Row(
                        "p",
                        elements,
                        arena.allocate(4 * elements, 4),
                        arena.allocate(4 * elements, 4),
                        List.of(),
                        null,
                        null))),
            false,
            null)
        .getFirst();
  }

  static void join(CountDownLatch latch) throws InterruptedException {
    assertTrue(latch.await(30, TimeUnit.SECONDS), "nobody joined");
  }

  /// Creates work that signals the arrival of a helper and keeps the helper until the end.
  static HelperPool.Work holding(CountDownLatch joined, CountDownLatch end) {
    return () -> {
      joined.countDown();
      try {
        end.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    };
  }

  void letAllHelpersJoin() throws Exception {
    for (int round = 0; round < 50; round++) {
      CountDownLatch all = new CountDownLatch(3);
      CountDownLatch end = new CountDownLatch(1);
      HelperPool.Work work = holding(all, end);
      do {
        // Helpers that were busy with the previous round get another offer later.
        HelperPool.invite(3, 3, work, true);
      } while (!all.await(1, TimeUnit.MILLISECONDS));
      end.countDown();
      HelperPool.dismiss(work);
    }
  }
}
