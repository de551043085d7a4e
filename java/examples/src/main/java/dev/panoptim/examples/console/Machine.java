package dev.panoptim.examples.console;

import java.lang.management.ManagementFactory;
import java.util.Locale;

/// The machine that a program measures on.
public final class Machine {
  /// The load average above which other programs disturb the measurements.
  private static final double BUSY = 0.5;

  private Machine() {}

  /// Processors, Java's version, and the present load average, on one line.
  public static String describe() {
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    return String.format(
        Locale.ROOT,
        "%d processors, Java %s, load average at the start %.2f%s",
        Runtime.getRuntime().availableProcessors(),
        Runtime.version(),
        load,
        load > BUSY ? ": other programs disturb the figures" : "");
  }
}
