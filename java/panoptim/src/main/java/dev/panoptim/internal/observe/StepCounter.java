package dev.panoptim.internal.observe;

import dev.panoptim.internal.memory.Forgotten;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.HashSet;
import java.util.Set;

/// Counts the steps of one optimizer, and the time that they take.
///
/// The stepping thread writes numbers of its own, which share a cache line with nothing else;
/// whoever asks adds them up. Two readings of the clock take a third of a small step. So of an
/// optimizer with fewer than [#ALWAYS_TIMED] elements, only the first [#EVERY] steps are all timed.
/// After them one in [#EVERY] is, and counts for as many.
///
/// Thread-safe for reading; the counting is for one thread at a time.
public final class StepCounter {
  /// A step over so many elements takes 5 us or more, of which two readings of the clock are less
  /// than a hundredth.
  static final long ALWAYS_TIMED = 16 * 1024;

  /// A power of two.
  static final int EVERY = 64;

  private static final int LINE = 64 / Long.BYTES;

  /// With a whole cache line before them, and one behind.
  private static final int STEPS = LINE;

  private static final int SKIPPED = LINE + 1;
  private static final int NANOS = LINE + 2;

  private static final VarHandle COUNTS = MethodHandles.arrayElementVarHandle(long[].class);

  /// Guards the three that follow.
  private static final Object LOCK = new Object();

  private static final Set<StepCounter> OPEN = new HashSet<>();
  private static final long[] CLOSED = new long[3 * LINE];
  private static long opened;

  private final long[] counts = new long[3 * LINE];

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

  /// Begins a step.
  ///
  /// @param elements that it is about to update
  /// @return the clock's reading, or 0 for a step that is not timed
  public long begin(long elements) {
    if (elements < ALWAYS_TIMED) {
      long before = counts[STEPS];
      if (before >= EVERY && (before & EVERY - 1) != 0) {
        return 0;
      }
    }
    return System.nanoTime();
  }

  /// Ends a step that did not fail.
  ///
  /// @param begin what [#begin] returned
  /// @param elements as for [#begin]
  /// @param skipped whether it is known to have changed nothing
  public void end(long begin, long elements, boolean skipped) {
    long before = counts[STEPS];
    if (begin != 0) {
      long weight = elements < ALWAYS_TIMED && before >= EVERY ? EVERY : 1;
      add(NANOS, (System.nanoTime() - begin) * weight);
    }
    add(STEPS, 1);
    if (skipped) {
      skipped();
    }
  }

  /// Counts a step as skipped that has been counted as a step.
  public void skipped() {
    add(SKIPPED, 1);
  }

  /// Opaque, so that others see whole numbers, and see them soon.
  private void add(int index, long more) {
    COUNTS.setOpaque(counts, index, counts[index] + more);
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
    for (int i = STEPS; i <= NANOS; i++) {
      sums[i] += (long) COUNTS.getOpaque(counts, i);
    }
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
      return new Totals(sums[STEPS], sums[SKIPPED], sums[NANOS], OPEN.size(), opened);
    }
  }
}
