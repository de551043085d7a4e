package dev.panoptim;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// Finds the native libraries that the build makes for tests.
public final class TestLibraries {
  private static final Path ALL = Path.of(System.getProperty("panoptim.testlibs.dir"));

  private TestLibraries() {}

  /// @param name the name without the prefix and suffix of the system
  public static Path find(String name) throws IOException {
    return search(name).orElseThrow();
  }

  /// Whether a library was built that needs a feature which some systems lack.
  ///
  /// @param name as for [#find]
  public static boolean isBuilt(String name) throws IOException {
    return search(name).isPresent();
  }

  private static Optional<Path> search(String name) throws IOException {
    try (var files = Files.walk(ALL)) {
      return files
          .filter(file -> file.getFileName().toString().equals(System.mapLibraryName(name)))
          .findFirst();
    }
  }
}
