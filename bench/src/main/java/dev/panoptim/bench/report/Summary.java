package dev.panoptim.bench.report;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.DoubleStream;

/// A figure that was measured several times.
///
/// @param median of all measurements of all forks; NaN if there are none
/// @param low a quarter of them are below it
/// @param high a quarter are above it
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

  /// One over it: what was the larger is the smaller then, so the quartiles change places.
  Summary inverse() {
    return new Summary(1 / median, 1 / high, 1 / low);
  }

  /// Half the distance between the quartiles: the length of an error bar.
  double deviation() {
    return (high - low) / 2;
  }

  /// Both quartiles, each in a format as that of a number.
  String range(String format) {
    return String.format(Locale.ROOT, format + " to " + format, low, high);
  }

  @Override
  public String toString() {
    return Arrays.asList(low, median, high).toString();
  }
}
