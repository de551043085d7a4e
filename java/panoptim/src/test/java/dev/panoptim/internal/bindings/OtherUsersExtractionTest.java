package dev.panoptim.internal.bindings;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Extraction by users without a name, and in directories that they cannot write but root could.
@Execution(ExecutionMode.CONCURRENT)
class OtherUsersExtractionTest {
  private static final byte[] CONTENT = "the right content".getBytes();
  private static final String REFUSED = "REFUSED ";

  @TempDir private static Path shared;

  private static SharedClasses classes;

  @TempDir private Path temporary;

  private Path content;
  private Path base;

  @BeforeAll
  static void shareClasses() throws IOException {
    OtherUsers.assumeRoot();
    OtherUsers.assumeThere();
    permit(shared, "rwxr-xr-x");
    classes = SharedClasses.copyTo(shared.resolve("classes"));
    permit(classes.directory(), "rwxr-xr-x");
  }

  @BeforeEach
  void shareWithEverybody() throws Exception {
    permit(temporary, "rwxr-xr-x");
    content = Files.write(temporary.resolve("content"), CONTENT);
    permit(content, "rw-r--r--");
    base = Files.createDirectory(temporary.resolve("base"));
    assertEquals(0, new ProcessBuilder("chmod", "1777", base.toString()).start().waitFor());
  }

  private static void permit(Path file, String permissions) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }

  /// The file that a user's process extracts to, or the reason for a failure.
  private String extract(int user) throws IOException, InterruptedException {
    String said =
        JavaProcess.run(
            classes.program(user, ExtractionProbe.class, base.toString(), content.toString()));
    String line =
        said.lines()
            .filter(each -> each.startsWith("FILE ") || each.startsWith(REFUSED))
            .findFirst()
            .orElseThrow(() -> new AssertionError(said));
    return line.startsWith(REFUSED) ? line : line.substring("FILE ".length());
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /// A directory of a user or of root with a file, as a container image may provide it.
  private Path bake(int named, int owner, byte[] held, String permissions) throws Exception {
    Path usual;
    try (Extraction extraction = Extraction.of(base, CONTENT, ExtractionTest.NAME)) {
      usual = extraction.file().getParent();
    }
    Path directory =
        named == 0
            ? usual
            : Files.move(
                usual,
                base.resolve(
                    usual
                        .getFileName()
                        .toString()
                        .replace("panoptim-0-", "panoptim-" + named + "-")));
    Path file = Files.write(directory.resolve(ExtractionTest.NAME), held);
    permit(file, "r--r--r--");
    permit(directory, permissions);
    OtherUsers.give(file, owner);
    OtherUsers.give(directory, owner);
    return file;
  }

  @Test
  void usersWithoutANameHaveSeparateDirectories() throws Exception {
    String one = extract(OtherUsers.ATTACKER);
    String other = extract(OtherUsers.VICTIM);
    assertTrue(one.contains("/panoptim-" + OtherUsers.ATTACKER + "-"), one);
    assertTrue(other.contains("/panoptim-" + OtherUsers.VICTIM + "-"), other);
    assertEquals(2, names(base).size());
    assertEquals(one, extract(OtherUsers.ATTACKER));
  }

  @Test
  void aValidReadOnlyFileIsUsed() throws Exception {
    Path file = bake(OtherUsers.VICTIM, OtherUsers.VICTIM, CONTENT, "r-x------");
    permit(base, "r-xr-xr-x");
    assertEquals(file.toString(), extract(OtherUsers.VICTIM));
    assertEquals(List.of(ExtractionTest.NAME), names(file.getParent()));
  }

  @Test
  void aWrongFileThatCannotBeWrittenIsNotUsed() throws Exception {
    Path file = bake(OtherUsers.VICTIM, OtherUsers.VICTIM, "wrong".getBytes(), "r-x------");
    String fresh = extract(OtherUsers.VICTIM);
    assertTrue(fresh.startsWith(file.getParent() + "-"), fresh);
    permit(base, "r-xr-xr-x");
    String refused = extract(OtherUsers.VICTIM);
    assertTrue(refused.startsWith(REFUSED), refused);
    assertTrue(refused.contains("AccessDenied"), refused);
    assertArrayEquals("wrong".getBytes(), Files.readAllBytes(file));
  }

  @Test
  void aValidFileOfRootIsUsedByEverybody() throws Exception {
    Path file = bake(0, 0, CONTENT, "rwxr-xr-x");
    permit(base, "r-xr-xr-x");
    assertEquals(file.toString(), extract(OtherUsers.VICTIM));
    assertEquals(file.toString(), extract(OtherUsers.ATTACKER));
  }

  @Test
  void aWrongDirectoryOfRootIsSkipped() throws Exception {
    Path file = bake(0, 0, CONTENT, "rwx------");
    assertNotEquals(file.toString(), extract(OtherUsers.VICTIM), "the file cannot be read");
    permit(file.getParent(), "rwxrwxrwx");
    assertNotEquals(file.toString(), extract(OtherUsers.ATTACKER), "others can write the file");
    permit(file.getParent(), "rwxr-xr-x");
    OtherUsers.give(file.getParent(), OtherUsers.ATTACKER);
    assertNotEquals(
        file.toString(), extract(OtherUsers.VICTIM), "the file does not belong to root");
  }

  @Test
  void aNameTakenByAnotherUserIsHarmless() throws Exception {
    bake(OtherUsers.VICTIM, OtherUsers.ATTACKER, CONTENT, "rwxr-xr-x");
    String fresh = extract(OtherUsers.VICTIM);
    assertTrue(fresh.contains("/panoptim-" + OtherUsers.VICTIM + "-"), fresh);
    assertEquals(1, names(base).size(), "the fresh directory is gone");
  }

  @Test
  void rootUsesNothingThatAnotherUserCanChange() throws Exception {
    Path file = bake(0, OtherUsers.ATTACKER, CONTENT, "rwxr-xr-x");
    try (Extraction extraction = Extraction.of(base, CONTENT, ExtractionTest.NAME)) {
      assertNotEquals(file, extraction.file());
    }
    OtherUsers.give(file.getParent(), 0);
    try (Extraction extraction = Extraction.of(base, CONTENT, ExtractionTest.NAME)) {
      assertEquals(file, extraction.file());
      assertEquals(0, UnixFile.of(file).uid(), "the file was replaced");
    }
  }
}
