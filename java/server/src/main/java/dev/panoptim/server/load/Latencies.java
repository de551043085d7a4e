package dev.panoptim.server.load;

import java.util.Arrays;

/// The latencies of requests.
///
/// Immutable.
final class Latencies {
  private static final double NANOS_PER_MILLI = 1e6;

  private final long[] sorted;

  /// @param nanos in any order, at least one
  Latencies(long[] nanos) {
    if (nanos.length == 0) {
      throw new IllegalArgumentException("there are no latencies, but must be at least 1");
    }
    sorted = nanos.clone();
    Arrays.sort(sorted);
  }

  /// A percentile by the nearest-rank method, in milliseconds.
  ///
  /// @param percent from 1 to 100
  double percentile(int percent) {
    if (percent < 1 || percent > 100) {
      throw new IllegalArgumentException("percent is " + percent + ", but must be from 1 to 100");
    }
    int rank = Math.toIntExact(((long) sorted.length * percent + 99) / 100);
    return sorted[rank - 1] / NANOS_PER_MILLI;
  }

  /// @param values at least one
  static double median(double... values) {
    double[] ordered = values.clone();
    Arrays.sort(ordered);
    int middle = ordered.length / 2;
    return ordered.length % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
  }
}
