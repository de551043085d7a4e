package dev.panoptim.internal.step;

import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.Update;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The sums of squares of each chunk that factors of tensors depend on, off-heap: see
/// `PANOPTIM_MEASURES`. Adding them in the order of the chunks gives the same bits on every engine
/// and at any number of threads.
///
/// Threads may use the sums of different chunks at the same time. Not thread-safe otherwise.
public final class Measures {
  /// The parameter.
  public static final int PARAMETER = 0;

  /// The gradient: scaled, clipped and, with [dev.panoptim.rule.History#CORRECTED_GRADIENT],
  /// corrected.
  public static final int GRADIENT = 1;

  /// What the step would subtract from the parameter.
  public static final int CHANGE = 2;

  /// With [dev.panoptim.rule.Update#CAUTIOUS], the number of elements that would change. Else the
  /// gradient over the root of the second moment.
  public static final int LAST = 3;

  /// The number of these. A test compares it with `PANOPTIM_MEASURES`.
  public static final int COUNT = 4;

  private static final int LANES = WorkSplit.LANES;

  private final Rows rows;
  private final MemorySegment sums;

  /// Partial sums of each chunk, for engines in Java: an array would be garbage. Made when needed.
  private MemorySegment lanes;

  Measures(Rows rows) {
    this.rows = rows;
    sums = doubles(rows.chunks() * COUNT);
  }

  private static MemorySegment doubles(long count) {
    return new CollectedMemory(MemoryKind.TABLES)
        .allocate(ValueLayout.JAVA_DOUBLE, Math.max(1, count));
  }

  /// The measures that a rule's factor depends on, as bits `1 << measure`. All others are 0: each
  /// one takes as long as a third of a step in memory that is cached.
  ///
  /// @param rule a measured one
  public static int neededBy(Rule rule) {
    return switch (rule.tensorFactor()) {
      case NONE -> rule.update() == Update.CAUTIOUS ? 1 << LAST : 1 << GRADIENT;
      case TRUST_RATIO, TRUST_RATIO_ALWAYS -> 1 << PARAMETER | 1 << CHANGE;
      case GRADIENT_TRUST_RATIO, CLIPPED_GRADIENT_TRUST_RATIO -> 1 << PARAMETER | 1 << GRADIENT;
      case GRADIENT_NORM -> 1 << GRADIENT;
      case UPDATE_SIZE -> 1 << LAST;
      case CLIPPED_DIRECTION,
          CLIPPED_DIRECTION_LIMITED_DECAY,
          PARAMETER_SIZE,
          PARAMETER_SIZE_AND_DECAY ->
          0;
    };
  }

  /// [#COUNT] doubles for each chunk of all rows.
  public MemorySegment memory() {
    return sums;
  }

  /// Makes room for the partial sums. To be called before threads add to them.
  public void makeLanes() {
    if (lanes == null) {
      lanes = doubles(rows.chunks() * COUNT * LANES);
    }
  }

  /// Sets the partial sums of a chunk to 0.
  ///
  /// @param start the chunk's first element in its row
  /// @return the chunk's number
  public long beginChunk(int row, long start) {
    long chunk = rows.firstChunk(row) + start / WorkSplit.CHUNK;
    // A slice to fill would be garbage at each step.
    for (long i = chunk * COUNT * LANES; i < (chunk + 1) * COUNT * LANES; i++) {
      lanes.setAtIndex(ValueLayout.JAVA_DOUBLE, i, 0);
    }
    return chunk;
  }

  /// Adds the square of a number to a partial sum.
  ///
  /// @param element the element's number in the chunk
  public void add(long chunk, int measure, long element, float number) {
    long at = (chunk * COUNT + measure) * LANES + element % LANES;
    // The square of a float is exact in double, so only the sum is rounded.
    double square = (double) number * number;
    lanes.setAtIndex(
        ValueLayout.JAVA_DOUBLE, at, lanes.getAtIndex(ValueLayout.JAVA_DOUBLE, at) + square);
  }

  /// Adds a chunk's partial sums in halves, and keeps the results.
  public void endChunk(long chunk) {
    for (int measure = 0; measure < COUNT; measure++) {
      long first = (chunk * COUNT + measure) * LANES;
      for (int half = LANES / 2; half > 0; half /= 2) {
        for (long i = first; i < first + half; i++) {
          double sum =
              lanes.getAtIndex(ValueLayout.JAVA_DOUBLE, i)
                  + lanes.getAtIndex(ValueLayout.JAVA_DOUBLE, i + half);
          lanes.setAtIndex(ValueLayout.JAVA_DOUBLE, i, sum);
        }
      }
      sums.setAtIndex(
          ValueLayout.JAVA_DOUBLE,
          chunk * COUNT + measure,
          lanes.getAtIndex(ValueLayout.JAVA_DOUBLE, first));
    }
  }

  /// A measure of a row: the sum over its chunks, in their order.
  public double of(int row, int measure) {
    double sum = 0;
    for (long chunk = rows.firstChunk(row); chunk < rows.firstChunk(row + 1); chunk++) {
      sum += sums.getAtIndex(ValueLayout.JAVA_DOUBLE, chunk * COUNT + measure);
    }
    return sum;
  }
}
