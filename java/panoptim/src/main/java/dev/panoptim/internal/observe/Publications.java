package dev.panoptim.internal.observe;

import java.util.concurrent.atomic.LongAdder;

/// Counts the publications of optimizers, and records them with the flight recorder.
///
/// Thread-safe.
public final class Publications {
  private static final LongAdder PUBLISHED = new LongAdder();
  private static final LongAdder SKIPPED = new LongAdder();

  private Publications() {}

  /// Records a publication. Call it on the publishing thread after the publication.
  ///
  /// @param step the step of the published parameters
  /// @param elements the number of copied elements
  public static void published(long step, long elements) {
    PUBLISHED.increment();
    Events.published(step, elements, false);
  }

  /// Records a publication that was skipped because readers hold all buffers.
  ///
  /// @param step the step of the parameters
  public static void publicationSkipped(long step) {
    SKIPPED.increment();
    Events.published(step, 0, true);
  }

  /// The number of publications.
  public static long count() {
    return PUBLISHED.sum();
  }

  /// The number of skipped publications.
  public static long skippedCount() {
    return SKIPPED.sum();
  }
}
