package dev.panoptim.internal.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.TestLibraries;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Another user who shares the temporary directory tries for some seconds to have another library
/// loaded.
class HijackTest {
  private static final long MILLIS = 4_000;

  /// The detours to fresh directories after which an attack ends before its time is over. Four
  /// seconds on two idle processors have about 650.
  private static final int ENOUGH_DETOURS =
      Boolean.getBoolean("panoptim.exhaustive") ? Integer.MAX_VALUE : 150;

  @TempDir private Path temporary;

  private SharedClasses classes;
  private Path shared;

  /// The constructor of the attacker's library creates this file when the library is loaded.
  private Path mark;

  @BeforeEach
  void shareWithEverybody() throws Exception {
    OtherUsers.assumeThere();
    permit(temporary, "rwxr-xr-x");
    classes = SharedClasses.copyTo(temporary.resolve("classes"));
    permit(classes.directory(), "rwxr-xr-x");
    shared = sticky(temporary.resolve("shared"));
    mark = sticky(temporary.resolve("marks")).resolve("mark");
  }

  @AfterEach
  void removeWhatBelongsToOthers() throws Exception {
    if (shared != null) {
      OtherUsers.remove(shared);
      OtherUsers.remove(mark.getParent());
    }
  }

  private static void permit(Path file, String permissions) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }

  private static Path sticky(Path directory) throws IOException, InterruptedException {
    Files.createDirectory(directory);
    assertEquals(0, new ProcessBuilder("chmod", "1777", directory.toString()).start().waitFor());
    return directory;
  }

  private Path copy(String library, String name) throws IOException {
    Path directory = Files.createDirectories(classes.directory().resolve(library));
    permit(directory, "rwxr-xr-x");
    Path copy = Files.copy(TestLibraries.find(library), directory.resolve(name));
    permit(copy, "rw-r--r--");
    return copy;
  }

  @Test
  void theUserWhoRunsTheTestsIsSafe() throws Exception {
    attack(UnixFile.ownUid());
  }

  @Test
  void anotherUserIsSafe() throws Exception {
    OtherUsers.assumeRoot();
    attack(OtherUsers.VICTIM);
  }

  private void attack(int user) throws Exception {
    long seed = System.nanoTime();
    String name = System.mapLibraryName("panoptim");
    // Any library suffices; a small one allows more rounds.
    Path right = copy("panoptim_of_another_version", name);
    Path hostile = copy("panoptim_hostile", name);
    String[] arguments = {shared.toString(), right.toString(), "" + MILLIS, "" + ENOUGH_DETOURS};
    ProcessBuilder victim =
        user == UnixFile.ownUid()
            ? classes.program(VictimProbe.class, arguments)
            : classes.program(user, VictimProbe.class, arguments);
    victim.environment().put("PANOPTIM_TEST_MARK", mark.toString());
    Process attacker =
        classes
            .program(
                OtherUsers.ATTACKER,
                Attacker.class,
                shared.toString(),
                usualName(user, right),
                right.toString(),
                hostile.toString(),
                "" + (MILLIS + 1_000),
                "" + seed)
            .redirectErrorStream(true)
            .start();
    Process attacked = victim.redirectErrorStream(true).start();
    String victimSaid = new String(attacked.getInputStream().readAllBytes());
    attacker.getOutputStream().close();
    String attackerSaid = new String(attacker.getInputStream().readAllBytes());
    String all = "seed " + seed + "\n" + attackerSaid + victimSaid;
    assertFalse(Files.exists(mark), () -> "the attacker's library was loaded: " + all);
    assertEquals(0, attacked.waitFor(), all);
    assertEquals(0, attacker.waitFor(), all);
    assertTrue(number("MOVES (\\d+)", all) > 0, all);
    assertTrue(number("VICTIM \\d+ usual, (\\d+) fresh", all) > 0, all);
    assertEquals(0, number("(\\d+) refused", all), all);
    System.out.println("HijackTest: " + all.strip().replaceAll("\\s*\n", "; "));
  }

  /// The name of the usual directory, which the attacker can predict.
  private String usualName(int user, Path library) throws IOException {
    Path elsewhere = Files.createDirectory(temporary.resolve("elsewhere"));
    try (Extraction extraction =
        Extraction.of(elsewhere, Files.readAllBytes(library), library.getFileName().toString())) {
      String name = extraction.file().getParent().getFileName().toString();
      return name.replace("-" + UnixFile.ownUid() + "-", "-" + user + "-");
    }
  }

  private static long number(String pattern, String text) {
    Matcher found = Pattern.compile(pattern).matcher(text);
    assertTrue(found.find(), text);
    return Long.parseLong(found.group(1));
  }
}
