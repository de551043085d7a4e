package dev.panoptim.bench.report;

import java.io.IOException;
import java.nio.file.Path;

/// A picture of a report that is stored in a file.
interface Image {
  /// The name of its file.
  String file();

  /// Writes the file, or replaces it.
  void save(Path folder) throws IOException;
}
