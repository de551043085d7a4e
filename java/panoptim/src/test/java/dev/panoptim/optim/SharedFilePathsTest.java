package dev.panoptim.optim;

import static dev.panoptim.Illegal.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Paths of shared parameters or states, and threads that are interrupted during the mapping.
class SharedFilePathsTest {
  @TempDir Path folder;

  private static Parameters map(Path file) {
    return Parameters.builder().add("w", 1000).buildShared(file, all -> fill(all, 3));
  }

  private static void fill(Parameters all, float value) {
    for (Parameter each : all) {
      for (int i = 0; i < each.size(); i++) {
        each.data().setAtIndex(JAVA_FLOAT, i, value);
      }
    }
  }

  private static void assertNotMapped(String message, Path path) {
    var parameters = assertThrows(UncheckedIOException.class, () -> map(path));
    assertEquals("shared memory in " + path + ": " + message, parameters.getMessage());
    try (Parameters all = Parameters.builder().add("w", 3).build()) {
      var states =
          assertThrows(
              UncheckedIOException.class, () -> Adam.builder(all).sharedStates(path).build());
      assertEquals(parameters.getMessage(), states.getMessage());
    }
  }

  @Test
  void onlyRegularFilesAreMapped() throws Exception {
    assertNotMapped("it is a directory, but must be a regular file", folder);
    Path device = Path.of("/dev/zero");
    if (Files.exists(device)) {
      assertNotMapped("it is not a regular file, but must be one", device);
    }
    try (FileSystem zip =
        FileSystems.newFileSystem(folder.resolve("archive.zip"), Map.of("create", "true"))) {
      assertNotMapped(
          "it is in a file system of the kind 'jar', but must be in the default one",
          zip.getPath("/w"));
    }
    Path pipe = folder.resolve("pipe");
    try {
      assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0);
    } catch (IOException e) {
      assumeTrue(false, "there is no mkfifo here");
    }
    assertNotMapped("it is not a regular file, but must be one", pipe);
  }

  /// Different names would become equal in the file.
  @Test
  void namesThatUtf8CannotHoldAreRejected() {
    Path file = folder.resolve("w");
    assertSays(
        "has an unpaired surrogate",
        () -> Parameters.builder().add("\ud83d", 3).buildShared(file, all -> {}));
    try (Parameters all = Parameters.builder().add("\ude00", 3).build()) {
      assertSays("has an unpaired surrogate", () -> Adam.builder(all).sharedStates(file).build());
    }
    assertFalse(Files.exists(file));
    try (Parameters all =
        Parameters.builder().add("\ud83d\ude00", 3).buildShared(file, unused -> {})) {
      assertTrue(Files.exists(file));
    }
  }

  @Test
  void anInterruptedThreadCreatesAndMaps() {
    Path file = folder.resolve("w");
    Thread.currentThread().interrupt();
    try (Parameters created = map(file);
        Parameters mapped = map(file);
        Optimizer optimizer =
            Adam.builder(created).sharedStates(folder.resolve("states")).build()) {
      optimizer.step();
      assertTrue(Thread.interrupted());
      created.get("w").data().setAtIndex(JAVA_FLOAT, 7, 9);
      assertEquals(9, mapped.get("w").data().getAtIndex(JAVA_FLOAT, 7));
    }
  }

  /// The code that sets the first values interrupts the thread while the file's lock is held.
  @Test
  void anInterruptDuringTheFirstValuesLeavesACompleteFile() {
    Path file = folder.resolve("w");
    AtomicInteger calls = new AtomicInteger();
    try (Parameters created =
        Parameters.builder()
            .add("w", 1000)
            .buildShared(
                file,
                all -> {
                  calls.incrementAndGet();
                  fill(all, 5);
                  Thread.currentThread().interrupt();
                })) {
      assertTrue(Thread.interrupted());
      assertEquals(1, calls.get());
      assertEquals(5, created.get("w").data().getAtIndex(JAVA_FLOAT, 999));
    }
    try (Parameters again = map(file)) {
      assertEquals(5, again.get("w").data().getAtIndex(JAVA_FLOAT, 0), "and not 3");
    }
  }

  /// Interrupts at random moments, with growing pauses. The values are set once, and the file is
  /// complete.
  @Test
  void interruptsDuringTheWriteLeaveWholeFiles() throws IOException {
    AtomicBoolean done = new AtomicBoolean();
    Thread working = Thread.currentThread();
    Thread interrupting =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (double micros = 50; !done.get(); micros *= 1.05) {
                    working.interrupt();
                    long until = System.nanoTime() + (long) (1000 * micros);
                    while (System.nanoTime() < until && !done.get()) {
                      Thread.onSpinWait();
                    }
                  }
                });
    try {
      for (int i = 0; i < 50; i++) {
        AtomicInteger calls = new AtomicInteger();
        Path file = folder.resolve("w" + i);
        for (int turn = 0; turn < 2; turn++) {
          try (Parameters all =
              Parameters.builder()
                  .add("w", 100_000)
                  .buildShared(
                      file,
                      created -> {
                        calls.incrementAndGet();
                        fill(created, 1);
                      })) {
            assertEquals(1, all.get("w").data().getAtIndex(JAVA_FLOAT, 99_999));
          }
        }
        assertEquals(1, calls.get());
      }
    } finally {
      done.set(true);
      while (interrupting.isAlive()) {
        Thread.onSpinWait();
      }
      Thread.interrupted();
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(50L), List.of(files.count()));
    }
  }
}
