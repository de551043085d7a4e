package dev.panoptim.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Paths of all kinds, the treatment of existing files, and interrupts of the thread.
class PathsTest {
  @TempDir Path folder;

  private static Tensor tensor(int... bytes) {
    byte[] data = new byte[bytes.length];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) bytes[i];
    }
    return Tensor.of("t", DType.U8, MemorySegment.ofArray(data), data.length);
  }

  private static void write(Path path, int... bytes) {
    SafetensorsWriter.write(path, List.of(tensor(bytes)), Map.of());
  }

  private static void assertHolds(Path path, int... bytes) {
    try (Arena arena = Arena.ofConfined()) {
      assertArrayEquals(
          TestFiles.bytes(tensor(bytes)),
          TestFiles.bytes(SafetensorsFile.map(path, arena).tensor("t")));
    }
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(each -> each.getFileName().toString()).sorted().toList();
    }
  }

  private static void assertNotMapped(String message, Path path) {
    try (Arena arena = Arena.ofConfined()) {
      var thrown = assertThrows(UncheckedIOException.class, () -> SafetensorsFile.map(path, arena));
      assertEquals("cannot map " + path + ": " + message, thrown.getMessage());
    }
  }

  @Test
  void onlyRegularFilesAreMapped() throws IOException {
    assertNotMapped("it is a directory, but must be a regular file", folder);
    Path linked = Files.createSymbolicLink(folder.resolve("linked"), folder);
    assertNotMapped("it is a directory, but must be a regular file", linked);
    assertNotMapped("there is no such file", folder.resolve("missing"));
    Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), folder.resolve("missing"));
    assertNotMapped("there is no such file", dangling);
    Path device = Path.of("/dev/zero");
    if (Files.exists(device)) {
      assertNotMapped("it is not a regular file, but must be a regular file", device);
    }
    write(folder.resolve("file"), 1);
    Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("file"));
    assertHolds(link, 1);
  }

  /// Opening the pipe would block until another process writes to it.
  @Test
  void aPipeDoesNotBlock() throws Exception {
    Path pipe = folder.resolve("pipe");
    Process made;
    try {
      made = new ProcessBuilder("mkfifo", pipe.toString()).start();
    } catch (IOException e) {
      assumeTrue(false, "there is no mkfifo here");
      return;
    }
    assertEquals(0, made.waitFor());
    assertNotMapped("it is not a regular file, but must be a regular file", pipe);
    assertThrows(UncheckedIOException.class, () -> write(pipe, 1));
    assertEquals(List.of("pipe"), files());
  }

  @Test
  void aFileInAnArchiveIsWrittenButNotMapped() throws IOException {
    Path archive = folder.resolve("archive.zip");
    try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
      Path inside = zip.getPath("/t.safetensors");
      Files.write(inside, TestFiles.write(List.of(tensor(1, 2)), Map.of()));
      String words =
          "it is in a file system of the kind 'jar', but must be in the default one, whose files"
              + " can be mapped";
      assertNotMapped(words, inside);
      assertNotMapped(words, zip.getPath("/missing"));
      write(inside, 3);
      write(inside, 4, 5);
      assertArrayEquals(
          TestFiles.write(List.of(tensor(4, 5)), Map.of()), Files.readAllBytes(inside));
      try (Stream<Path> files = Files.list(zip.getPath("/"))) {
        assertEquals(List.of("/t.safetensors"), files.map(Path::toString).toList());
      }
    }
  }

  private static Set<PosixFilePermission> mode(Path path) throws IOException {
    return Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS);
  }

  @Test
  void aFileThatIsReplacedKeepsItsMode() throws IOException {
    assumeTrue(Files.getFileStore(folder).supportsFileAttributeView("posix"));
    Path path = folder.resolve("x.safetensors");
    write(path, 1);
    Set<PosixFilePermission> usual = mode(path);
    for (String mode : List.of("rw-------", "rw-rw-rw-", "r--r-----", "rwxr-x--x", "rw-r--r--")) {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
      write(path, 2, 3);
      assertEquals(mode, PosixFilePermissions.toString(mode(path)));
      assertHolds(path, 2, 3);
    }
    write(folder.resolve("new.safetensors"), 1);
    assertEquals(usual, mode(folder.resolve("new.safetensors")), "of one that replaces nothing");
    // The link itself is replaced. Neither its permissions nor those of its target are passed on.
    Path target = folder.resolve("target");
    write(target, 9);
    Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rw-------"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), target);
    write(link, 4);
    assertFalse(Files.isSymbolicLink(link));
    assertEquals(usual, mode(link));
    assertHolds(target, 9);
  }

  /// Other users must not be able to read even the first bytes.
  @Test
  void aFileThatIsReplacedHasItsModeFromTheFirstByteOn() throws Exception {
    assumeTrue(Files.getFileStore(folder).supportsFileAttributeView("posix"));
    Path path = folder.resolve("secret.safetensors");
    write(path, 1);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    AtomicBoolean done = new AtomicBoolean();
    AtomicBoolean seen = new AtomicBoolean();
    Thread looking =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!done.get()) {
                    try (Stream<Path> files = Files.list(folder)) {
                      for (Path each : files.toList()) {
                        if (Files.getPosixFilePermissions(each)
                            .contains(PosixFilePermission.OTHERS_READ)) {
                          seen.set(true);
                        }
                      }
                    } catch (IOException | UncheckedIOException goneMeanwhile) {
                      Thread.onSpinWait();
                    }
                  }
                });
    for (int i = 0; i < 300; i++) {
      write(path, i);
    }
    done.set(true);
    looking.join();
    assertFalse(seen.get());
  }

  @Test
  void anInterruptedThreadReadsAndWrites() throws IOException {
    Path path = folder.resolve("x.safetensors");
    Thread.currentThread().interrupt();
    write(path, 1, 2);
    assertTrue(Thread.currentThread().isInterrupted());
    assertHolds(path, 1, 2);
    assertTrue(Thread.currentThread().isInterrupted());
    assertNotMapped("it is a directory, but must be a regular file", folder);
    assertTrue(Thread.interrupted(), "after a failure too");
    assertEquals(List.of("x.safetensors"), files());
    write(path, 3);
    assertFalse(Thread.currentThread().isInterrupted(), "and one that is not does not become so");
  }

  /// Interrupts a thread again and again during reads and writes. The pauses grow, so that every
  /// machine can write a file between two interrupts.
  @Test
  void interruptsDuringTheWriteLeaveWholeFiles() throws Exception {
    Path path = folder.resolve("x.safetensors");
    byte[] large = new byte[1 << 20];
    Tensor tensor = Tensor.of("t", DType.U8, MemorySegment.ofArray(large), large.length);
    AtomicBoolean done = new AtomicBoolean();
    Thread working = Thread.currentThread();
    Thread interrupting =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (double micros = 100; !done.get(); micros *= 1.03) {
                    working.interrupt();
                    long until = System.nanoTime() + (long) (1000 * micros);
                    while (System.nanoTime() < until && !done.get()) {
                      Thread.onSpinWait();
                    }
                  }
                });
    try {
      for (int i = 0; i < 60; i++) {
        SafetensorsWriter.write(path, List.of(tensor), Map.of("i", "" + i));
        try (Arena arena = Arena.ofConfined()) {
          assertEquals(Map.of("i", "" + i), SafetensorsFile.map(path, arena).metadata());
        }
      }
    } finally {
      done.set(true);
      // A join would end at an interrupt.
      while (interrupting.isAlive()) {
        Thread.onSpinWait();
      }
      Thread.interrupted();
    }
    assertEquals(List.of("x.safetensors"), files());
  }

  /// Java closes the caller's channel at an interrupt, and the exception reports it.
  @Test
  void anInterruptClosesTheCallersChannel() throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            folder.resolve("x"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      Thread.currentThread().interrupt();
      var thrown =
          assertThrows(
              UncheckedIOException.class,
              () -> SafetensorsWriter.write(channel, List.of(tensor(1)), Map.of()));
      assertTrue(thrown.getCause() instanceof ClosedByInterruptException, thrown.toString());
      assertTrue(Thread.interrupted());
    }
  }

  /// Reading at these addresses would crash the process.
  @Test
  void dataAtImpossibleAddressesAreRejected() {
    for (long address : new long[] {0, 8, 4095, Long.MAX_VALUE - 7, -8}) {
      MemorySegment nowhere = MemorySegment.ofAddress(address).reinterpret(16);
      var ofTensor =
          assertThrows(IllegalArgumentException.class, () -> Tensor.of("t", DType.U8, nowhere, 16));
      assertTrue(
          ofTensor.getMessage().startsWith("the data of tensor \"t\" has 16 bytes at address 0x"),
          ofTensor.getMessage());
      var ofFile = assertThrows(IllegalArgumentException.class, () -> SafetensorsFile.of(nowhere));
      assertTrue(ofFile.getMessage().startsWith("bytes has 16 bytes"), ofFile.getMessage());
      MemorySegment nothing = MemorySegment.ofAddress(address).reinterpret(0);
      assertEquals(0, Tensor.of("t", DType.U8, nothing, 0).data().byteSize());
    }
  }

  @Test
  void nullMetadataMeanNoMetadata() {
    assertEquals(Map.of(), TestFiles.read(TestFiles.file("{\"__metadata__\":null}", 0)).metadata());
    SafetensorsFile file =
        TestFiles.read(
            TestFiles.file(
                "{\"__metadata__\": null ,"
                    + "\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
                1));
    assertEquals(Map.of(), file.metadata());
    assertEquals(1, file.tensor("t").elements());
    // Values that are not strings, and duplicate metadata, are rejected as in the reference
    // implementation.
    for (String header :
        List.of(
            "{\"__metadata__\":{\"k\":null}}",
            "{\"__metadata__\":null,\"__metadata__\":null}",
            "{\"__metadata__\":null,\"__metadata__\":{}}",
            "{\"__metadata__\":{},\"__metadata__\":null}",
            "{\"__metadata__\":[null]}")) {
      assertThrows(
          SafetensorsException.class, () -> TestFiles.read(TestFiles.file(header, 0)), header);
    }
  }
}
