package dev.panoptim.internal.parallel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/// The threads of the [HelperPool], as tests see them.
public final class PoolMembers {
  private PoolMembers() {}

  /// Waits until no member is at work. The pool is then as it is between two steps.
  public static void awaitIdle() throws InterruptedException {
    long start = System.nanoTime();
    for (Thread each : all()) {
      while (each.isAlive() && !isIdle(each)) {
        assertTrue(System.nanoTime() - start < 30_000_000_000L, each + " is still at work");
        Thread.sleep(1);
      }
    }
  }

  /// Repeats an action for some time while another thread ends all members again and again.
  public static void endWhile(Duration time, Runnable action) throws InterruptedException {
    AtomicBoolean stop = new AtomicBoolean();
    Thread ending =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!stop.get()) {
                    HelperPool.endThreads();
                  }
                });
    try {
      long start = System.nanoTime();
      while (System.nanoTime() - start < time.toNanos()) {
        action.run();
      }
    } finally {
      stop.set(true);
      ending.join();
    }
  }

  /// Does something while as many threads step as there are processors, so that none is helped.
  public static void withoutHelp(Runnable action) {
    HelperPool.Work none = () -> {};
    for (int i = 0; i < HelperPool.MOST; i++) {
      HelperPool.enter();
    }
    try {
      action.run();
    } finally {
      for (int i = 0; i < HelperPool.MOST; i++) {
        HelperPool.leave(none);
      }
    }
  }

  static List<Thread> all() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(each -> each.getName().startsWith("panoptim-"))
        .toList();
  }

  /// Whether a member is parked by itself, and not by its work.
  static boolean isIdle(Thread member) {
    Object blocker = LockSupport.getBlocker(member);
    return blocker != null && blocker.getClass().getEnclosingClass() == HelperPool.class;
  }
}
