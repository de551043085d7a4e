package dev.panoptim.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  @TempDir Path folder;

  private static Tensor bytes(String name, int... bytes) {
    byte[] data = new byte[bytes.length];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) bytes[i];
    }
    return Tensor.of(name, DType.U8, MemorySegment.ofArray(data), data.length);
  }

  private static String header(List<Tensor> tensors, Map<String, String> metadata) {
    byte[] header =
        SafetensorsWriter.layout(tensors, metadata).header().toArray(ValueLayout.JAVA_BYTE);
    return new String(header, Long.BYTES, header.length - Long.BYTES, StandardCharsets.UTF_8);
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(each -> each.getFileName().toString()).sorted().toList();
    }
  }

  private static void assertRefused(Problem problem, String message, Executable written) {
    SafetensorsException thrown = assertThrows(SafetensorsException.class, written);
    assertEquals(problem, thrown.problem());
    assertTrue(thrown.getMessage().contains(message), thrown.getMessage());
  }

  @Test
  void theMetadataAreSortedByCodePoints() {
    assertEquals(
        "{\"__metadata__\":{\"B\":\"3\",\"a\":\"1\",\"\ue000\":\"4\",\"\ud83d\ude00\":\"2\"}}",
        header(List.of(), Map.of("a", "1", "\ud83d\ude00", "2", "B", "3", "\ue000", "4")).strip());
  }

  @Test
  void theLayoutIsTheFile() {
    List<Tensor> tensors = List.of(bytes("b", 1, 2), bytes("a", 3), bytes("c"));
    SafetensorsLayout layout = SafetensorsWriter.layout(tensors, Map.of("k", "v"));
    assertTrue(layout.header().isReadOnly());
    assertEquals(List.of(tensors.get(1), tensors.get(0), tensors.get(2)), layout.tensors());
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(layout.header().toArray(ValueLayout.JAVA_BYTE));
    layout.tensors().forEach(each -> file.writeBytes(TestFiles.bytes(each)));
    assertEquals(layout.bytes(), file.size());
    assertArrayEquals(TestFiles.write(tensors, Map.of("k", "v")), file.toByteArray());
  }

  @Test
  void namesAreRejected() {
    assertRefused(
        Problem.RESERVED_NAME,
        "__metadata__",
        () -> header(List.of(bytes("__metadata__")), Map.of()));
    assertRefused(
        Problem.DUPLICATE_KEY,
        "\"a\"",
        () -> header(List.of(bytes("a"), bytes("b"), bytes("a", 1)), Map.of()));
    Tensor other = Tensor.of("a", DType.F32, MemorySegment.ofArray(new float[1]), 1);
    assertRefused(
        Problem.DUPLICATE_KEY, "\"a\"", () -> header(List.of(bytes("a"), other), Map.of()));
    for (String lone :
        List.of("\ud83d", "\ude00", "\ude00\ud83d", "x\ud83dx", "\ud83d\ud83d\ude00")) {
      assertRefused(Problem.LONE_SURROGATE, "U+D", () -> header(List.of(bytes(lone)), Map.of()));
      assertRefused(Problem.LONE_SURROGATE, "U+D", () -> header(List.of(), Map.of(lone, "")));
      assertRefused(Problem.LONE_SURROGATE, "U+D", () -> header(List.of(), Map.of("", lone)));
    }
  }

  @Test
  void nullsAreRejectedByName() {
    assertNull("path is null", () -> SafetensorsWriter.write((Path) null, List.of(), Map.of()));
    assertNull(
        "channel is null",
        () -> SafetensorsWriter.write((WritableByteChannel) null, List.of(), Map.of()));
    assertNull("tensors is null", () -> header(null, Map.of()));
    assertNull("metadata is null", () -> header(List.of(), null));
    assertNull(
        "metadata \"k\" is null", () -> header(List.of(), Collections.singletonMap("k", null)));
    assertNull("a key of metadata", () -> header(List.of(), Collections.singletonMap(null, "v")));
  }

  private static void assertNull(String message, Executable written) {
    NullPointerException thrown = assertThrows(NullPointerException.class, written);
    assertTrue(thrown.getMessage().startsWith(message), thrown.getMessage());
  }

  @Test
  void aHeaderBeyondTheLimitIsRejected() {
    String long40 = "x".repeat(40_000_000);
    Map<String, String> fits = Map.of("a", long40, "b", long40);
    assertEquals(80_000_040, SafetensorsWriter.layout(List.of(), fits).bytes());
    assertRefused(
        Problem.HEADER_TOO_LONG,
        "100000000",
        () -> SafetensorsWriter.layout(List.of(bytes(long40)), fits));
  }

  @Test
  void everyKindOfSegmentIsWritten() {
    long seed = System.nanoTime();
    byte[] expected = new byte[9 << 20];
    new Random(seed).nextBytes(expected);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment offHeap = arena.allocate(expected.length);
      offHeap.copyFrom(MemorySegment.ofArray(expected));
      long[] longs = offHeap.toArray(ValueLayout.JAVA_LONG);
      float[] floats = new float[expected.length / Float.BYTES];
      MemorySegment.ofArray(floats).copyFrom(offHeap);
      for (MemorySegment each :
          List.of(
              offHeap,
              offHeap.asReadOnly(),
              MemorySegment.ofArray(expected),
              MemorySegment.ofArray(expected).asReadOnly(),
              MemorySegment.ofArray(longs),
              MemorySegment.ofArray(floats))) {
        Tensor tensor = Tensor.of("t", DType.U8, each, expected.length);
        byte[] file = TestFiles.write(List.of(tensor), Map.of());
        assertArrayEquals(
            expected, TestFiles.bytes(TestFiles.read(file).tensor("t")), "seed " + seed);
      }
    }
  }

  /// A channel that accepts only a few bytes at a time, and collects them.
  private static final class SlowChannel implements WritableByteChannel {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int largest;

    @Override
    public int write(ByteBuffer piece) {
      largest = Math.max(largest, piece.remaining());
      int length = Math.min(piece.remaining(), 1 + bytes.size() % 1000);
      for (int i = 0; i < length; i++) {
        bytes.write(piece.get());
      }
      return length;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {
      throw new AssertionError("the channel is the caller's");
    }
  }

  @Test
  void aChannelMayWriteInSmallParts() {
    List<Tensor> tensors =
        List.of(
            Tensor.of("w", DType.F32, MemorySegment.ofArray(new float[100_000]), 100_000),
            bytes("b", 1, 2, 3));
    SlowChannel channel = new SlowChannel();
    SafetensorsWriter.write(channel, tensors, Map.of());
    assertArrayEquals(TestFiles.write(tensors, Map.of()), channel.bytes.toByteArray());
    assertEquals(64 << 10, channel.largest);
  }

  @Test
  void aFailingChannelIsReported() {
    WritableByteChannel failing =
        new WritableByteChannel() {
          @Override
          public int write(ByteBuffer piece) throws IOException {
            throw new IOException("no space");
          }

          @Override
          public boolean isOpen() {
            return true;
          }

          @Override
          public void close() {}

          @Override
          public String toString() {
            return "failing channel";
          }
        };
    UncheckedIOException thrown =
        assertThrows(
            UncheckedIOException.class,
            () -> SafetensorsWriter.write(failing, List.of(), Map.of()));
    assertEquals(
        "cannot write to failing channel: java.io.IOException: no space", thrown.getMessage());
  }

  @Test
  void aFullDeviceIsReported() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full));
    try (FileChannel channel = FileChannel.open(full, StandardOpenOption.WRITE)) {
      assertThrows(
          UncheckedIOException.class,
          () -> SafetensorsWriter.write(channel, List.of(bytes("a", 1)), Map.of()));
    }
    // A rename would replace the device by a regular file.
    assertUnwritable(full);
    assertFalse(Files.isRegularFile(full));
  }

  private static void assertUnwritable(Path path) {
    UncheckedIOException thrown =
        assertThrows(
            UncheckedIOException.class,
            () -> SafetensorsWriter.write(path, List.of(bytes("a", 1)), Map.of()));
    assertTrue(thrown.getMessage().startsWith("cannot write " + path), thrown.getMessage());
  }

  @Test
  void aFailedWriteIsReportedAndLeavesNothing() throws IOException {
    Files.createFile(folder.resolve("file"));
    Files.createDirectory(folder.resolve("directory"));
    assertUnwritable(folder.resolve("missing").resolve("x.safetensors"));
    assertUnwritable(folder.resolve("file").resolve("x.safetensors"));
    assertUnwritable(folder.resolve("directory"));
    assertEquals(List.of("directory", "file"), files());
  }

  @Test
  void aFolderOfTheSystemIsReported() {
    Path system = Path.of("/proc");
    assumeTrue(Files.isDirectory(system));
    assertUnwritable(system.resolve("x.safetensors"));
  }

  @Test
  void aReadOnlyFolderIsReported() {
    assumeTrue(folder.toFile().setWritable(false));
    try {
      assumeTrue(!Files.isWritable(folder), "the superuser may write anywhere");
      assertUnwritable(folder.resolve("x.safetensors"));
    } finally {
      folder.toFile().setWritable(true);
    }
  }

  @Test
  void aMappedFileCanBeReplaced() throws IOException {
    Path path = folder.resolve("x.safetensors");
    SafetensorsWriter.write(path, List.of(bytes("a", 1, 2, 3)), Map.of("version", "1"));
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile file = SafetensorsFile.map(path, arena);
      SafetensorsWriter.write(path, List.of(file.tensor("a"), bytes("b", 9)), Map.of());
      assertArrayEquals(new byte[] {1, 2, 3}, TestFiles.bytes(file.tensor("a")));
      SafetensorsFile anew = SafetensorsFile.map(path, arena);
      assertEquals(List.of("a", "b"), List.copyOf(anew.tensors().keySet()));
      assertArrayEquals(new byte[] {1, 2, 3}, TestFiles.bytes(anew.tensor("a")));
    }
    assertEquals(List.of("x.safetensors"), files());
  }

  @Test
  void deadDataAreNamedBeforeAnythingIsWritten() throws Exception {
    Arena shared = Arena.ofShared();
    Tensor dead = Tensor.of("z", DType.U8, shared.allocate(2), 2);
    shared.close();
    try (Arena arena = Arena.ofConfined()) {
      Tensor confined = Tensor.of("z", DType.U8, arena.allocate(2), 2);
      SlowChannel channel = new SlowChannel();
      Path path = folder.resolve("x.safetensors");
      var closed =
          assertThrows(
              IllegalStateException.class,
              () -> SafetensorsWriter.write(channel, List.of(bytes("a", 1), dead), Map.of()));
      assertEquals(
          "the data of tensor \"z\" lie in an arena that has been closed", closed.getMessage());
      assertThrows(
          IllegalStateException.class,
          () -> SafetensorsWriter.write(path, List.of(bytes("a", 1), dead), Map.of()));
      for (Executable write :
          List.<Executable>of(
              () -> SafetensorsWriter.write(channel, List.of(bytes("a", 1), confined), Map.of()),
              () -> SafetensorsWriter.write(path, List.of(bytes("a", 1), confined), Map.of()))) {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread other =
            Thread.ofPlatform()
                .start(() -> thrown.set(assertThrows(WrongThreadException.class, write)));
        other.join();
        assertTrue(
            thrown.get().getMessage().startsWith("the data of tensor \"z\" lie in an arena"),
            thrown.get().getMessage());
      }
      assertEquals(0, channel.bytes.size());
      assertEquals(List.of(), files());
    }
  }

  @Test
  void aFailedWriteLeavesTheOldFile() throws IOException {
    Path path = folder.resolve("x.safetensors");
    SafetensorsWriter.write(path, List.of(bytes("a", 1)), Map.of());
    byte[] before = Files.readAllBytes(path);
    Arena arena = Arena.ofConfined();
    Tensor closed = Tensor.of("b", DType.U8, arena.allocate(2), 2);
    arena.close();
    assertThrows(
        IllegalStateException.class,
        () -> SafetensorsWriter.write(path, List.of(bytes("a", 1), closed), Map.of()));
    assertRefused(
        Problem.DUPLICATE_KEY,
        "two tensors",
        () -> SafetensorsWriter.write(path, List.of(bytes("a"), bytes("a")), Map.of()));
    assertArrayEquals(before, Files.readAllBytes(path));
    assertEquals(List.of("x.safetensors"), files());
  }
}
