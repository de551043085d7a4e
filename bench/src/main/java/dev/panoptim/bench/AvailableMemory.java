package dev.panoptim.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// The memory that the system can give to a benchmark.
final class AvailableMemory {
  private AvailableMemory() {}

  /// In bytes, as far as the system tells it.
  static long bytes() {
    try {
      return Files.readAllLines(Path.of("/proc/meminfo")).stream()
          .filter(each -> each.startsWith("MemAvailable:"))
          .mapToLong(each -> Long.parseLong(each.replaceAll("\\D", "")) << 10)
          .findFirst()
          .orElse(Long.MAX_VALUE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// @throws IllegalStateException if fewer bytes are available
  static void require(long bytes) {
    long available = bytes();
    if (available < bytes) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "%.1f GiB of memory are available, but the benchmark needs %.1f",
              gibibytes(available),
              gibibytes(bytes)));
    }
  }

  static double gibibytes(long bytes) {
    return bytes / (double) (1 << 30);
  }
}
