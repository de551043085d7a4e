package dev.panoptim.internal.memory;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Waits for effects of the garbage collector. Programs without JUnit use it too.
public final class Collected {
  private static final long SECONDS = 60;

  private Collected() {}

  /// Runs the garbage collector until a condition holds.
  ///
  /// @throws AssertionError if the condition does not hold within a minute
  public static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("this did not happen: " + what);
      }
      System.gc();
      Thread.sleep(10);
    }
  }

  /// Runs the garbage collector several times, so that unreachable objects are found.
  static void collect() throws InterruptedException {
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(20);
    }
  }
}
