package dev.panoptim.examples.serving;

import java.util.Arrays;
import java.util.OptionalDouble;

/// The latencies of requests.
///
/// Immutable.
final class Latencies {
  private static final double NANOS_PER_MILLI = 1e6;

  private final long[] sorted;

  /// @param nanos in any order
  Latencies(long[] nanos) {
    sorted = nanos.clone();
    Arrays.sort(sorted);
  }

  int count() {
    return sorted.length;
  }

  /// A percentile by the nearest-rank method, in milliseconds. Empty if there are fewer than `1000
  /// / (1000 - perMille)` latencies, because the percentile would be the maximum.
  ///
  /// @param perMille from 1 to 999: 500 for the median, 999 for p99.9
  OptionalDouble percentile(int perMille) {
    if (perMille < 1 || perMille > 999) {
      throw new IllegalArgumentException("perMille is " + perMille + ", but must be from 1 to 999");
    }
    // In integers, because 0.999 * 1000 is not 999 in a double.
    long above = (long) sorted.length * (1000 - perMille);
    if (above < 1000) {
      return OptionalDouble.empty();
    }
    int rank = Math.toIntExact(((long) sorted.length * perMille + 999) / 1000);
    return OptionalDouble.of(sorted[rank - 1] / NANOS_PER_MILLI);
  }

  /// The median; empty if there are no values.
  static OptionalDouble median(double... values) {
    if (values.length == 0) {
      return OptionalDouble.empty();
    }
    double[] ordered = values.clone();
    Arrays.sort(ordered);
    int middle = ordered.length / 2;
    return OptionalDouble.of(
        ordered.length % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2);
  }
}
