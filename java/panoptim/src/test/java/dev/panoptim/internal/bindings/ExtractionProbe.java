package dev.panoptim.internal.bindings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The program that [ExtractionTest] runs as another user, or kills. It extracts the content of a
/// file below a directory, and prints the extracted file.
final class ExtractionProbe {
  private ExtractionProbe() {}

  public static void main(String[] arguments) throws IOException {
    byte[] content = Files.readAllBytes(Path.of(arguments[1]));
    try (Extraction extraction =
        Extraction.of(Path.of(arguments[0]), content, ExtractionTest.NAME)) {
      System.out.println("FILE " + extraction.file());
    } catch (IOException e) {
      System.out.println("REFUSED " + e.getMessage());
    }
  }
}
