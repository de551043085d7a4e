package dev.panoptim.internal.observe;

import dev.panoptim.internal.memory.Forgotten;
import java.util.HashSet;
import java.util.Set;

/// Counts the steps of one optimizer, and the time that they take.
///
/// The stepping thread writes numbers of its own; whoever asks adds them up. Two readings of the
/// clock take a third of a small step. So of an optimizer with fewer than [#ALWAYS_TIMED] elements,
/// only the first [#EVERY] steps are all timed. After them one in [#EVERY] is, and counts for as
/// many.
///
/// Thread-safe for reading; the counting is for one thread at a time. The numbers are plain fields:
/// what the optimizer does to let the next thread step makes them visible.
public final class StepCounter extends PaddedCounts {
  /// A step over so many elements takes 5 us or more, of which two readings of the clock are less
  /// than a hundredth.
  static final long ALWAYS_TIMED = 16 * 1024;

  /// A power of two.
  static final int EVERY = 256;

  /// Guards the three that follow.
  private static final Object LOCK = new Object();

  private static final Set<StepCounter> OPEN = new HashSet<>();
  private static final long[] CLOSED = new long[3];
  private static long opened;

  private long elements;

  /// With the fields of [Padding], a cache line around the counts.
  long after1;

  long after2;
  long after3;
  long after4;
  long after5;
  long after6;
  long after7;

  /// Begins to count: the optimizer has been built.
  ///
  /// @param owner once it cannot be reached any more, the optimizer is no longer open
  public void open(Object owner) {
    synchronized (LOCK) {
      OPEN.add(this);
      opened++;
    }
    Forgotten.watch(owner, this::close);
  }

  /// From now on, steps update as many elements.
  public void elements(long elements) {
    this.elements = elements;
    chooseTimed();
  }

  /// The elements that steps update.
  public long elements() {
    return elements;
  }

  private void chooseTimed() {
    untimed = elements < ALWAYS_TIMED && steps >= EVERY ? EVERY - 1 : 0;
  }

  /// Begins a step.
  ///
  /// @return the clock's reading, or 0 for a step that is not timed
  public long begin() {
    return (steps & untimed) == 0 ? System.nanoTime() : 0;
  }

  /// Ends a step that did not fail.
  ///
  /// @param begin what [#begin] returned
  /// @param skipped whether it is known to have changed nothing
  public void end(long begin, boolean skipped) {
    if (begin != 0) {
      nanos += (System.nanoTime() - begin) * (untimed + 1);
    }
    steps++;
    if (begin != 0) {
      chooseTimed();
    }
    if (skipped) {
      skipped();
    }
  }

  /// Counts a step as skipped that has been counted as a step.
  public void skipped() {
    skipped++;
  }

  /// Ends the counting. Does nothing when that has been done.
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

  /// What all optimizers have done.
  ///
  /// @param steps that were made, those that were skipped among them
  /// @param nanos that they took
  /// @param open optimizers that have been built and not been closed
  /// @param opened optimizers that have been built
  public record Totals(long steps, long skipped, long nanos, long open, long opened) {}

  /// What all optimizers together have done so far.
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
