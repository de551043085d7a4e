package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// Copies matrices without gaps between rows, scaled or not, transposed or not.
///
/// Not thread-safe.
final class Transposition extends SharedWork {
  /// Rows of a piece, and columns that are copied together: the cache lines of such a square stay
  /// in the first-level cache.
  private static final int BAND = 32;

  private final Matrices from;
  private final Matrices to;
  private final boolean transposed;
  private final long bands;

  /// The factor of each matrix; `null` for none.
  private double[] factors;

  /// @param threads the most threads that take part, including the calling one
  /// @param isLong as [SharedWork]
  /// @param memory what the caller's work uses
  Transposition(
      Matrices from,
      Matrices to,
      boolean transposed,
      int threads,
      boolean isLong,
      List<MemorySegment> memory) {
    super(
        to.columns() == 0 ? 0 : to.count() * Math.ceilDiv(to.rows(), (long) BAND),
        threads,
        isLong,
        memory);
    this.from = from;
    this.to = to;
    this.transposed = transposed;
    bands = Math.ceilDiv(to.rows(), (long) BAND);
  }

  /// Copies all matrices. A product is rounded to float once, from double.
  ///
  /// @param scales the factor of each matrix; `null` for none
  void run(double[] scales, int threads) {
    factors = scales;
    run(threads);
  }

  @Override
  void work(long piece, int thread) {
    int matrix = (int) (piece / bands);
    long begin = piece % bands * BAND;
    long end = Math.min(begin + BAND, to.rows());
    MemorySegment source = from.memory().get(matrix);
    MemorySegment target = to.memory().get(matrix);
    double factor = factors == null ? 1 : factors[matrix];
    if (transposed) {
      for (long column = 0; column < to.columns(); column += BAND) {
        transpose(source, target, begin, end, column, factor);
      }
    } else {
      for (long i = begin * to.columns(); i < end * to.columns(); i++) {
        target.setAtIndex(JAVA_FLOAT, i, (float) (factor * source.getAtIndex(JAVA_FLOAT, i)));
      }
    }
  }

  private void transpose(
      MemorySegment source,
      MemorySegment target,
      long begin,
      long end,
      long firstColumn,
      double factor) {
    long endColumn = Math.min(firstColumn + BAND, to.columns());
    for (long i = begin; i < end; i++) {
      for (long j = firstColumn; j < endColumn; j++) {
        float value = source.getAtIndex(JAVA_FLOAT, j * from.columns() + i);
        target.setAtIndex(JAVA_FLOAT, i * to.columns() + j, (float) (factor * value));
      }
    }
  }
}
