package dev.panoptim.internal.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The leftovers of killed extractions are removed by the next extraction.
class LeftoversTest {
  private static final byte[] CONTENT = "the right content".getBytes();

  @TempDir private Path base;

  private Path extract() throws IOException {
    try (Extraction extraction = Extraction.of(base, CONTENT, ExtractionTest.NAME)) {
      return extraction.file().getParent();
    }
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void unfinishedFilesAreRemoved() throws IOException {
    Path directory = extract();
    for (boolean right : new boolean[] {true, false}) {
      Files.createFile(directory.resolve("a.partial"));
      Files.createFile(directory.resolve("b.probe"));
      if (!right) {
        Files.write(directory.resolve(ExtractionTest.NAME), new byte[1]);
      }
      extract();
      assertEquals(List.of(ExtractionTest.NAME), names(directory));
    }
  }

  @Test
  void aFileThatIsBeingWrittenStays() throws IOException {
    Path directory = extract();
    Path partial = Files.createFile(directory.resolve("a.partial"));
    try (FileChannel writer = FileChannel.open(partial, StandardOpenOption.WRITE)) {
      Leftovers.claim(writer);
      extract();
      assertTrue(Files.exists(partial));
    }
    extract();
    assertEquals(List.of(ExtractionTest.NAME), names(directory));
  }

  @Test
  void aFileThatAnotherProcessWritesStays() throws Exception {
    Path directory = extract();
    Path partial = Files.createFile(directory.resolve("a.partial"));
    Process writer =
        JavaProcess.of(ClaimProbe.class, List.of(), partial.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertEquals('!', writer.getInputStream().read());
      extract();
      assertTrue(Files.exists(partial));
    } finally {
      writer.destroyForcibly().waitFor();
    }
    extract();
    assertEquals(List.of(ExtractionTest.NAME), names(directory));
  }

  @Test
  void leftoversOfAKilledExtractionAreRemoved() throws Exception {
    Path content = Files.write(base.resolve("content"), new byte[48 << 20]);
    Path below = Files.createDirectory(base.resolve("below"));
    boolean left = false;
    for (int tries = 0; tries < 50 && !left; tries++) {
      Process victim =
          JavaProcess.of(
                  ExtractionProbe.class,
                  List.of("--enable-native-access=ALL-UNNAMED"),
                  below.toString(),
                  content.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try {
        while (victim.isAlive() && !isBeingWritten(below)) {
          Thread.onSpinWait();
        }
      } finally {
        victim.destroyForcibly().waitFor();
      }
      left = isBeingWritten(below);
      if (!left) {
        deleteAll(below); // The process was too fast to be killed during the write.
      }
    }
    assertTrue(left);
    byte[] bytes = Files.readAllBytes(content);
    try (Extraction extraction = Extraction.of(below, bytes, ExtractionTest.NAME)) {
      assertEquals(List.of(ExtractionTest.NAME), names(extraction.file().getParent()));
    }
  }

  private static boolean isBeingWritten(Path below) throws IOException {
    try (Stream<Path> files = Files.walk(below)) {
      return files.anyMatch(file -> file.toString().endsWith(".partial"));
    } catch (java.io.UncheckedIOException e) {
      return false; // A file was removed while it was read.
    }
  }

  private static void deleteAll(Path below) throws IOException {
    for (String directory : names(below)) {
      Leftovers.deleteDirectory(below.resolve(directory));
    }
  }

  @Test
  void onlyOldDirectoriesOfOneProcessAreRemoved() throws IOException {
    Path usual = extract();
    // Occupies the usual directory, so that extractions use a fresh one.
    Files.setPosixFilePermissions(usual, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path old = Files.createDirectory(base.resolve(usual.getFileName() + "-old"));
    Files.write(old.resolve(ExtractionTest.NAME), CONTENT);
    Files.createFile(old.resolve("a.partial"));
    Path young = Files.createDirectory(base.resolve(usual.getFileName() + "-young"));
    Path other = Files.createDirectory(base.resolve("panoptim-1-0-old"));
    Path link = Files.createSymbolicLink(base.resolve(usual.getFileName() + "-link"), other);
    FileTime longAgo = FileTime.from(Instant.now().minus(Duration.ofHours(2)));
    for (Path each : List.of(old, usual, other)) {
      Files.setLastModifiedTime(each, longAgo);
    }
    extract();
    assertEquals(
        Stream.of(usual, young, other, link)
            .map(each -> each.getFileName().toString())
            .sorted()
            .toList(),
        names(base));
  }
}
