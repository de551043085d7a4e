package dev.panoptim.internal.observe;

import dev.panoptim.internal.memory.Forgotten;
import java.util.HashSet;
import java.util.Set;

/// Counts the steps of one optimizer, and their duration.
///
/// The stepping thread writes its own counts, and a reader adds them up. Two readings of the clock
/// take a third of the time of a small step. After the first [#EVERY] steps of an optimizer, steps
/// of fewer than [#ALWAYS_TIMED] elements are therefore timed only once in [#EVERY] such steps, and
/// the duration counts [#EVERY] times.
///
/// Reading is thread-safe; counting is for one thread at a time. The counts are plain fields. The
/// lock that an optimizer's steps take makes them visible to the next stepping thread.
public final class StepCounter extends PaddedCounts {
  /// A step over this many elements takes 5 us or more; two readings of the clock take less than a
  /// hundredth of this time.
  static final long ALWAYS_TIMED = 16 * 1024;

  /// The number of small steps of which one is timed. It is a prime. If steps of several sizes
  /// alternate, each size is timed equally often, unless the number of sizes is a multiple of it.
  static final int EVERY = 257;

  /// Guards the three fields below.
  private static final Object LOCK = new Object();

  private static final Set<StepCounter> OPEN = new HashSet<>();
  private static final long[] CLOSED = new long[3];
  private static long opened;

  /// The padding after the counts; see [Padding].
  long after1;

  long after2;
  long after3;
  long after4;
  long after5;
  long after6;
  long after7;

  /// Starts counting, when the optimizer has been built.
  ///
  /// @param owner the optimizer; when it is garbage-collected, it no longer counts as open
  public void open(Object owner) {
    synchronized (LOCK) {
      OPEN.add(this);
      opened++;
    }
    Forgotten.watch(owner, this::close);
  }

  /// Begins a step.
  ///
  /// @param elements the number of elements that the step updates, as far as known
  /// @return the reading of the clock, or 0 if the step is not timed
  public long begin(long elements) {
    if (elements >= ALWAYS_TIMED || steps < EVERY) {
      weight = 1;
    } else if (--untilTimed > 0) {
      return 0;
    } else {
      untilTimed = EVERY;
      weight = EVERY;
    }
    return System.nanoTime();
  }

  /// Ends a step that did not fail.
  ///
  /// @param begin the result of [#begin]
  /// @param skipped whether the step is known to have changed nothing
  public void end(long begin, boolean skipped) {
    if (begin != 0) {
      nanos += (System.nanoTime() - begin) * weight;
    }
    steps++;
    if (skipped) {
      skipped();
    }
  }

  /// Counts a step as skipped that has already been counted as a step.
  public void skipped() {
    skipped++;
  }

  /// Stops counting. Closing twice has no effect.
  public void close() {
    synchronized (LOCK) {
      if (OPEN.remove(this)) {
        addTo(CLOSED);
      }
    }
  }

  private void addTo(long[] sums) {
    sums[0] += steps;
    sums[1] += skipped;
    sums[2] += nanos;
  }

  /// The counts of all optimizers.
  ///
  /// @param steps the steps, including skipped ones
  /// @param skipped the skipped steps
  /// @param nanos the duration of all steps in nanoseconds
  /// @param open optimizers that have been built and not closed
  /// @param opened optimizers that have been built
  public record Totals(long steps, long skipped, long nanos, long open, long opened) {}

  /// The counts of all optimizers together.
  public static Totals totals() {
    synchronized (LOCK) {
      long[] sums = CLOSED.clone();
      for (StepCounter each : OPEN) {
        each.addTo(sums);
      }
      return new Totals(sums[0], sums[1], sums[2], OPEN.size(), opened);
    }
  }
}
