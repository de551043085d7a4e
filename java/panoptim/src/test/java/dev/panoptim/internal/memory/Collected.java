package dev.panoptim.internal.memory;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Waits for what the garbage collector does. Programs of the tests use it too, which have no
/// JUnit.
public final class Collected {
  private static final long SECONDS = 60;

  private Collected() {}

  /// Collects until a condition holds.
  ///
  /// @throws AssertionError if it does not within a minute
  public static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError(what + " did not come about");
      }
      System.gc();
      Thread.sleep(10);
    }
  }

  /// Collects some times, so that what can be found is found.
  static void collect() throws InterruptedException {
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(20);
    }
  }
}
