package dev.panoptim.internal.parallel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/// The helper threads of the [HelperPool].
public final class PoolMembers {
  private PoolMembers() {}

  /// Waits until all helpers are idle, as between two steps.
  public static void awaitIdle() throws InterruptedException {
    long start = System.nanoTime();
    for (Thread each : all()) {
      while (each.isAlive() && !isIdle(each)) {
        assertTrue(System.nanoTime() - start < 30_000_000_000L, each + " is still busy");
        Thread.sleep(1);
      }
    }
  }

  /// Repeats an action for some time while another thread repeatedly ends all helper threads.
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

  /// Runs an action while the pool counts a caller for each processor, so that no step gets a
  /// helper.
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

  /// Whether a helper waits for work. Inside of work, a helper parks with another blocker.
  static boolean isIdle(Thread helper) {
    Object blocker = LockSupport.getBlocker(helper);
    return blocker != null && blocker.getClass().getEnclosingClass() == HelperPool.class;
  }
}
