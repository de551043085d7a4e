package dev.panoptim.internal.observe;

import java.util.concurrent.atomic.LongAdder;

/// Counts what optimizers publish, and tells the flight recorder.
///
/// Thread-safe.
public final class Publications {
  private static final LongAdder PUBLISHED = new LongAdder();
  private static final LongAdder SKIPPED = new LongAdder();

  private Publications() {}

  /// Parameters have been published. Call it after that, on the thread that did it.
  ///
  /// @param step the number that they carry
  /// @param elements that were copied
  public static void published(long step, long elements) {
    PUBLISHED.increment();
    Events.published(step, elements, false);
  }

  /// Parameters were to be published, but readers hold all buffers.
  ///
  /// @param step the number that they would have carried
  public static void publicationSkipped(long step) {
    SKIPPED.increment();
    Events.published(step, 0, true);
  }

  /// How often parameters have been published.
  public static long count() {
    return PUBLISHED.sum();
  }

  /// How often they would have been, had a buffer been free.
  public static long skippedCount() {
    return SKIPPED.sum();
  }
}
