package dev.panoptim.bench.report;

import java.util.stream.DoubleStream;

/// The median and the quartiles of repeated measurements.
///
/// @param median of all iterations of all forks; NaN if there are none
/// @param low lower quartile
/// @param high upper quartile
record Summary(double median, double low, double high) {
  static final Summary UNKNOWN = new Summary(Double.NaN, Double.NaN, Double.NaN);

  static Summary of(DoubleStream measurements) {
    double[] sorted = measurements.sorted().toArray();
    return sorted.length == 0
        ? UNKNOWN
        : new Summary(quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75));
  }

  private static double quantile(double[] sorted, double part) {
    double at = part * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  boolean isKnown() {
    return !Double.isNaN(median);
  }

  Summary times(double factor) {
    return new Summary(median * factor, low * factor, high * factor);
  }

  /// The reciprocal. It swaps the quartiles.
  Summary inverse() {
    return new Summary(1 / median, 1 / high, 1 / low);
  }

  /// Half the distance between the quartiles: the length of an error bar.
  double deviation() {
    return (high - low) / 2;
  }

  /// The median in a format, empty if unknown.
  String median(String format) {
    return isKnown() ? Numbers.format(format, median) : "";
  }

  /// Both quartiles, each in a format; empty if unknown.
  String range(String format) {
    return isKnown() ? Numbers.format(format + " to " + format, low, high) : "";
  }
}
