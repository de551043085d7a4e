package dev.panoptim.internal.bindings;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A packaged library is extracted to a safe place; unsafe places and files are not used.
class ExtractionTest {
  static final String NAME = "libsomething.so";

  private static final byte[] CONTENT = "the right content".getBytes();
  private static final byte[] WRONG = "the wrong content".getBytes();

  @TempDir private Path base;

  /// The usual place of the content, found by an extraction without disturbances.
  private Path usual;

  @BeforeEach
  void learnTheUsualDirectory() throws IOException {
    try (Extraction extraction = extract()) {
      usual = extraction.file().getParent();
    }
    Files.delete(usual.resolve(NAME));
    Files.delete(usual);
  }

  private Extraction extract() throws IOException {
    return Extraction.of(base, CONTENT, NAME);
  }

  private static void permit(Path file, String permissions) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(
        Files.getPosixFilePermissions(file, LinkOption.NOFOLLOW_LINKS));
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private void assertUsual() throws IOException {
    try (Extraction extraction = extract()) {
      assertEquals(usual.resolve(NAME), extraction.file());
    }
    assertArrayEquals(CONTENT, Files.readAllBytes(usual.resolve(NAME)));
    assertTrue(Files.isRegularFile(usual.resolve(NAME), LinkOption.NOFOLLOW_LINKS));
    assertEquals("rw-------", permissions(usual.resolve(NAME)));
  }

  /// Asserts that a temporary directory is used instead of the usual one, and is removed
  /// afterwards.
  private void assertFresh(String reason) throws IOException {
    List<String> before = names(base);
    try (Extraction extraction = extract()) {
      Path fresh = extraction.file().getParent();
      assertEquals(base.toRealPath(), fresh.getParent());
      assertNotEquals(usual, fresh);
      assertFalse(before.contains(fresh.getFileName().toString()));
      assertEquals("rwx------", permissions(fresh));
      assertArrayEquals(CONTENT, Files.readAllBytes(extraction.file()));
      assertTrue(extraction.describe().contains(reason), extraction.describe());
    }
    assertEquals(before, names(base));
  }

  private void assertRefused(Path below, String reason) {
    IOException e =
        assertThrows(IOException.class, () -> Extraction.of(below, CONTENT, NAME).close());
    assertTrue(e.toString().contains(reason), e.toString());
  }

  @Test
  void theUsualDirectoryIsPrivateAndNamedByUserAndContent() throws IOException {
    assertUsual();
    assertEquals("rwx------", permissions(usual));
    String name = usual.getFileName().toString();
    assertTrue(name.matches("panoptim-" + UnixFile.ownUid() + "-[0-9a-f]{16}"), name);
    try (Extraction other = Extraction.of(base, WRONG, NAME)) {
      assertNotEquals(usual, other.file().getParent());
    }
  }

  @Test
  void aValidFileIsUsedAgain() throws IOException {
    assertUsual();
    Object key = Files.readAttributes(usual.resolve(NAME), "unix:ino").get("ino");
    assertUsual();
    assertEquals(key, Files.readAttributes(usual.resolve(NAME), "unix:ino").get("ino"));
  }

  @Test
  void aWrongFileIsReplaced() throws IOException {
    assertUsual();
    Files.write(usual.resolve(NAME), WRONG);
    assertUsual();
    Files.write(usual.resolve(NAME), new byte[0]);
    assertUsual();
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-rw----", "rw----rw-", "rw-rw-rw-"})
  void aFileThatOthersCanWriteIsReplaced(String permissions) throws IOException {
    assertUsual();
    permit(usual.resolve(NAME), permissions);
    assertUsual();
  }

  @Test
  void aLinkToARightFileIsReplaced() throws IOException {
    assertUsual();
    Path elsewhere = Files.write(base.resolve("elsewhere"), CONTENT);
    Files.delete(usual.resolve(NAME));
    Files.createSymbolicLink(usual.resolve(NAME), elsewhere);
    assertUsual();
    assertArrayEquals(CONTENT, Files.readAllBytes(elsewhere));
  }

  @Test
  void aFileOfAnotherUserIsReplaced() throws Exception {
    OtherUsers.assumeThere();
    assertUsual();
    OtherUsers.give(usual.resolve(NAME), OtherUsers.ATTACKER);
    assertUsual();
    assertEquals(UnixFile.ownUid(), UnixFile.of(usual.resolve(NAME)).uid());
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwxrwx---", "rwx----w-", "rwxrwxrwx", "rwx-w----"})
  void aDirectoryThatOthersCanWriteIsNotUsed(String permissions) throws IOException {
    assertUsual();
    permit(usual, permissions);
    assertFresh("can be written by other users");
  }

  @Test
  void aStickyDirectoryIsNotUsed() throws Exception {
    assertUsual();
    assertEquals(0, new ProcessBuilder("chmod", "1777", usual.toString()).start().waitFor());
    assertFresh("can be written by other users");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwxr-xr-x", "rwxr-x---"})
  void aDirectoryThatOthersCanReadIsUsed(String permissions) throws IOException {
    assertUsual();
    permit(usual, permissions);
    assertUsual();
  }

  @Test
  void aDirectoryOfAnotherUserIsNotUsed() throws Exception {
    OtherUsers.assumeThere();
    assertUsual();
    OtherUsers.give(usual, OtherUsers.ATTACKER);
    try {
      assertFresh("belongs to user " + OtherUsers.ATTACKER);
    } finally {
      OtherUsers.give(usual, UnixFile.ownUid());
    }
  }

  @Test
  void aLinkIsNotUsed() throws IOException {
    Path elsewhere = Files.createDirectory(base.resolve("elsewhere"));
    Files.createSymbolicLink(usual, elsewhere);
    assertFresh("is a link");
    assertEquals(List.of(), names(elsewhere));
    Files.delete(elsewhere);
    assertFresh("is a link");
  }

  @Test
  void aFileInThePlaceOfTheDirectoryIsNotUsed() throws IOException {
    Files.write(usual, WRONG);
    assertFresh("is not a directory");
    assertArrayEquals(WRONG, Files.readAllBytes(usual));
  }

  @Test
  void aDirectoryInThePlaceOfTheFileIsLeftAlone() throws IOException {
    Files.createDirectories(usual.resolve(NAME).resolve("more"));
    permit(usual, "rwx------");
    assertFresh(NAME);
    assertEquals(List.of("more"), names(usual.resolve(NAME)));
  }

  @Test
  void missingParentsArePrivate() throws IOException {
    Path below = base.resolve("a/b/c");
    try (Extraction extraction = Extraction.of(below, CONTENT, NAME)) {
      assertTrue(extraction.file().startsWith(below.toRealPath()));
    }
    for (Path each = below; !each.equals(base); each = each.getParent()) {
      assertEquals("rwx------", permissions(each));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void aParentThatOthersCanWriteMustBeSticky(int above) throws Exception {
    Path below = Files.createDirectories(base.resolve("a/b/c"));
    Path open = below;
    for (int i = 0; i < above; i++) {
      open = open.getParent();
    }
    for (String mode : List.of("777", "775", "757")) {
      assertEquals(0, new ProcessBuilder("chmod", mode, open.toString()).start().waitFor());
      assertRefused(below, open.toRealPath() + " can be written by other users, and is not sticky");
      assertEquals(List.of(), names(below), "no file is created in an unsafe directory");
    }
    assertEquals(0, new ProcessBuilder("chmod", "1777", open.toString()).start().waitFor());
    Extraction.of(below, CONTENT, NAME).close();
  }

  @Test
  void aParentMustBelongToThisUserOrRoot() throws Exception {
    OtherUsers.assumeThere();
    Path below = Files.createDirectories(base.resolve("a/b"));
    for (Path each : List.of(below, below.getParent())) {
      OtherUsers.give(each, OtherUsers.ATTACKER);
      try {
        assertRefused(below, each.toRealPath() + " belongs to user " + OtherUsers.ATTACKER);
        assertRefused(
            below.resolve("missing"),
            each.toRealPath() + " belongs to user " + OtherUsers.ATTACKER);
      } finally {
        OtherUsers.give(each, UnixFile.ownUid());
      }
    }
  }

  @Test
  void linksOfThisUserAreFollowed() throws IOException {
    Path below = Files.createDirectories(base.resolve("a/b"));
    for (String target : List.of("a/b", "./a/../a/b", below.toRealPath().toString())) {
      Path link = Files.createSymbolicLink(base.resolve("link"), Path.of(target));
      try (Extraction extraction = Extraction.of(link, CONTENT, NAME)) {
        assertEquals(below.toRealPath(), extraction.file().getParent().getParent(), target);
      }
      try (Extraction extraction = Extraction.of(link.resolve("../b"), CONTENT, NAME)) {
        assertEquals(below.toRealPath(), extraction.file().getParent().getParent(), target);
      }
      Files.delete(link);
    }
  }

  @Test
  void linksOfOthersAreNotFollowed() throws Exception {
    OtherUsers.assumeThere();
    Path below = Files.createDirectories(base.resolve("a/b"));
    Path link = Files.createSymbolicLink(base.resolve("link"), below);
    OtherUsers.give(link, OtherUsers.ATTACKER);
    assertRefused(link, "the link belongs to another user");
    assertRefused(link.resolve("c"), "the link belongs to another user");
    assertEquals(List.of(), names(below));
  }

  @Test
  void linksToAnUnsafeDirectoryAreRejected() throws Exception {
    Path below = Files.createDirectories(base.resolve("a/b"));
    Path link = Files.createSymbolicLink(base.resolve("link"), below);
    permit(below, "rwxrwxrwx");
    assertRefused(link, below.toRealPath() + " can be written by other users");
  }

  @Test
  void linksInACircleAreRejected() throws IOException {
    Path one = base.resolve("one");
    Path other = Files.createSymbolicLink(base.resolve("other"), one);
    Files.createSymbolicLink(one, other);
    assertThrows(FileSystemLoopException.class, () -> Extraction.of(one, CONTENT, NAME).close());
  }

  @Test
  void aFileInThePlaceOfAParentIsRejected() throws IOException {
    Path file = Files.write(base.resolve("file"), WRONG);
    assertThrows(NotDirectoryException.class, () -> Extraction.of(file, CONTENT, NAME).close());
    assertThrows(
        NotDirectoryException.class, () -> Extraction.of(file.resolve("a"), CONTENT, NAME).close());
  }

  @Test
  void concurrentExtractionsFindTheSameFile() throws Exception {
    int threads = 8;
    try (ExecutorService all = Executors.newFixedThreadPool(threads)) {
      for (int round = 0; round < 20; round++) {
        Path below = base.resolve("round" + round);
        Callable<Path> extraction =
            () -> {
              try (Extraction each = Extraction.of(below, CONTENT, NAME)) {
                assertArrayEquals(CONTENT, Files.readAllBytes(each.file()));
                return each.file();
              }
            };
        List<Future<Path>> found =
            all.invokeAll(Stream.generate(() -> extraction).limit(threads).toList());
        for (Future<Path> each : found) {
          assertEquals(found.getFirst().get(), each.get());
        }
        assertEquals(List.of(NAME), names(found.getFirst().get().getParent()));
        assertEquals(1, names(below).size());
      }
    }
  }

  @Test
  void anInterruptedThreadExtractsToo() throws IOException {
    Thread.currentThread().interrupt();
    try {
      extract().close();
      extract().close();
    } finally {
      assertTrue(Thread.interrupted());
    }
    assertEquals(Stream.of(NAME).collect(Collectors.toList()), names(usual));
  }
}
