package dev.panoptim.internal.bindings;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// The program that [HijackTest] attacks. It extracts and opens the library repeatedly, and prints
/// how often each way was used.
final class VictimProbe {
  private VictimProbe() {}

  /// @param arguments the shared directory, the file of the library, the maximum duration in
  ///   milliseconds, and the number of fresh directories after which it ends
  public static void main(String[] arguments) throws IOException {
    Path shared = Path.of(arguments[0]);
    Path library = Path.of(arguments[1]);
    String name = library.getFileName().toString();
    byte[] content = Files.readAllBytes(library);
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[2]));
    int enough = Integer.parseInt(arguments[3]);
    int usual = 0;
    int fresh = 0;
    int refused = 0;
    while (System.nanoTime() < end && fresh < enough) {
      try (Extraction extraction = Extraction.of(shared, content, name);
          Arena arena = Arena.ofConfined()) {
        SymbolLookup.libraryLookup(extraction.file(), arena);
        if (extraction.describe().contains(" temporarily")) {
          fresh++;
        } else {
          usual++;
          // Removes the usual directory, so that the attacker can occupy it again.
          Leftovers.deleteDirectory(extraction.file().getParent());
        }
      } catch (IOException e) {
        refused++;
        System.out.println(e);
      }
    }
    System.out.printf("VICTIM %d usual, %d fresh, %d refused%n", usual, fresh, refused);
  }
}
