package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.MemorySegment;

/// Sums of squares in the order of `panoptim_sum_squares`: element i of a chunk is added to sum i
/// modulo 16, and the sums are added in halves.
final class SumOfChunks {
  private static final int LANES = 16;

  private SumOfChunks() {}

  static long chunks(long elements) {
    return Math.ceilDiv(elements, (long) WorkSplit.CHUNK);
  }

  /// The sum of the squares of one chunk.
  ///
  /// @param elements of all chunks
  static double sum(MemorySegment x, long elements, long chunk) {
    long begin = chunk * WorkSplit.CHUNK;
    long end = Math.min(elements, begin + WorkSplit.CHUNK);
    // Two lanes whose distance is 8 are added first: so each pass over the chunk has two of them.
    double a = pair(x, begin, end, 0) + pair(x, begin, end, 4);
    double b = pair(x, begin, end, 2) + pair(x, begin, end, 6);
    double c = pair(x, begin, end, 1) + pair(x, begin, end, 5);
    double d = pair(x, begin, end, 3) + pair(x, begin, end, 7);
    return a + b + (c + d);
  }

  /// The sum of a lane plus that of the lane at a distance of 8.
  private static double pair(MemorySegment x, long begin, long end, int lane) {
    double first = 0;
    double second = 0;
    long i = begin + lane;
    for (; i + LANES / 2 < end; i += LANES) {
      first += square(x, i);
      second += square(x, i + LANES / 2);
    }
    if (i < end) {
      first += square(x, i);
    }
    return first + second;
  }

  private static double square(MemorySegment x, long i) {
    double value = x.getAtIndex(JAVA_FLOAT, i);
    return value * value;
  }
}
