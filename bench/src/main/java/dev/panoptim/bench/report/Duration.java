package dev.panoptim.bench.report;

/// Nanoseconds in a unit that suits them, with three or four digits.
final class Duration {
  private static final String[] UNITS = {"ns", "us", "ms", "s"};

  private Duration() {}

  static String of(double nanos) {
    int unit = unit(nanos);
    return Numbers.format(pattern(nanos, unit) + " " + UNITS[unit], in(nanos, unit));
  }

  static String of(Summary nanos) {
    return of(nanos.median());
  }

  /// Both quartiles, in the unit of the median.
  static String range(Summary nanos) {
    int unit = unit(nanos.median());
    String pattern = pattern(nanos.median(), unit);
    return Numbers.format(
        pattern + " to " + pattern, in(nanos.low(), unit), in(nanos.high(), unit));
  }

  private static int unit(double nanos) {
    int unit = 0;
    while (unit < UNITS.length - 1 && in(nanos, unit) >= 1000) {
      unit++;
    }
    return unit;
  }

  private static double in(double nanos, int unit) {
    return nanos / Math.pow(1000, unit);
  }

  private static String pattern(double nanos, int unit) {
    double shown = in(nanos, unit);
    return shown < 10 ? "%.2f" : "%.1f";
  }
}
