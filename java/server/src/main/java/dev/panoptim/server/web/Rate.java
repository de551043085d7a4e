package dev.panoptim.server.web;

/// Events in a second, from a growing count, over about the last two seconds.
///
/// Not thread-safe.
final class Rate {
  private static final int READINGS = 8;
  private static final double NANOS = 1e9;

  private final long[] counts = new long[READINGS];
  private final long[] times = new long[READINGS];
  private int readings;

  /// @param count of all events so far
  /// @param nanos the time of the count
  double update(long count, long nanos) {
    int at = readings % READINGS;
    int oldest = readings < READINGS ? 0 : at;
    double rate =
        readings == 0 ? 0 : (count - counts[oldest]) * NANOS / Math.max(1, nanos - times[oldest]);
    counts[at] = count;
    times[at] = nanos;
    readings++;
    return rate;
  }
}
