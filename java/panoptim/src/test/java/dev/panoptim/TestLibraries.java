package dev.panoptim;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The native libraries that the build makes for tests.
public final class TestLibraries {
  private static final Path ALL = Path.of(System.getProperty("panoptim.testlibs.dir"));

  private TestLibraries() {}

  /// @param name without what a system puts around it
  public static Path find(String name) throws IOException {
    try (var files = Files.walk(ALL)) {
      return files
          .filter(file -> file.getFileName().toString().equals(System.mapLibraryName(name)))
          .findFirst()
          .orElseThrow();
    }
  }
}
