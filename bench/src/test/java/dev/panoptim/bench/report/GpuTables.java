package dev.panoptim.bench.report;

import java.net.URISyntaxException;
import java.nio.file.Path;

/// The table of the tests. Its figures are invented, and some cases are missing.
final class GpuTables {
  private GpuTables() {}

  static Path file() {
    try {
      return Path.of(GpuTables.class.getResource("gpu.tsv").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
