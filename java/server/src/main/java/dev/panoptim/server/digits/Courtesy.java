package dev.panoptim.server.digits;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// Lets predictions go first: the learner pauses between two examples while a prediction runs, but
/// not for long, so that it makes progress under any load.
///
/// Thread-safe.
public final class Courtesy {
  private static final long NAP_NANOS = 50_000;

  private static final long USUAL_NANOS = 2_000_000;

  private final AtomicInteger predictions = new AtomicInteger();
  private final long longestNanos;

  /// @param longestNanos the longest pause; 0 for none
  public Courtesy(long longestNanos) {
    this.longestNanos = longestNanos;
  }

  /// A pause of at most 2 ms.
  public static Courtesy usual() {
    return new Courtesy(USUAL_NANOS);
  }

  /// A prediction begins. [#end] must follow.
  public void begin() {
    predictions.incrementAndGet();
  }

  public void end() {
    predictions.decrementAndGet();
  }

  /// The number of predictions that run.
  public int running() {
    return predictions.get();
  }

  /// Called by the learner.
  void pause() {
    if (predictions.get() == 0 || longestNanos == 0) {
      return;
    }
    long end = System.nanoTime() + longestNanos;
    do {
      LockSupport.parkNanos(NAP_NANOS);
    } while (predictions.get() > 0
        && System.nanoTime() < end
        && !Thread.currentThread().isInterrupted());
  }
}
