package dev.panoptim.internal.bindings;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// What [HijackTest] runs: extracts and opens the library again and again while an attacker is at
/// work, and says how often which way was taken.
final class VictimProbe {
  private VictimProbe() {}

  /// @param arguments the directory that is shared, the file of the library, and for how many
  ///   milliseconds
  public static void main(String[] arguments) throws IOException {
    Path shared = Path.of(arguments[0]);
    Path library = Path.of(arguments[1]);
    String name = library.getFileName().toString();
    byte[] content = Files.readAllBytes(library);
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[2]));
    int usual = 0;
    int fresh = 0;
    int refused = 0;
    while (System.nanoTime() < end) {
      try (Extraction extraction = Extraction.of(shared, content, name);
          Arena arena = Arena.ofConfined()) {
        SymbolLookup.libraryLookup(extraction.file(), arena);
        if (extraction.describe().contains(" for once")) {
          fresh++;
        } else {
          usual++;
          // So that the name can be taken again.
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
