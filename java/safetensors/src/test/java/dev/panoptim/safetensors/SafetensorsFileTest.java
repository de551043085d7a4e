package dev.panoptim.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @TempDir Path folder;

  @Test
  void allValidJsonIsRead() {
    SafetensorsFile file =
        TestFiles.read(
            TestFiles.file(
                """
                \t{ "\\u0062\\/\\ud83d\\ude00" : {"shape" : [ 2 , 1 ],
                "data_offsets":[0,\t2], "dtype":"\\u0055\\u0038"} ,\r\n"__metadata__":{"\\n": "\\\\"},
                "a":{"dtype":"U8","shape":[],"data_offsets":[2,3]} }\r
                \s\t
                """,
                3));
    assertEquals(List.of("b/\ud83d\ude00", "a"), List.copyOf(file.tensors().keySet()));
    assertEquals(List.of(2L, 1L), file.tensor("b/\ud83d\ude00").shape());
    assertEquals(DType.U8, file.tensor("b/\ud83d\ude00").dtype());
    assertEquals(Map.of("\n", "\\"), file.metadata());
  }

  @Test
  void theOrderIsThatOfTheBytes() {
    String tensor = "\"%s\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]}";
    String header =
        String.join(
            ",",
            tensor.formatted("last", 0, 5, 5),
            tensor.formatted("second", 3, 2, 5),
            tensor.formatted("b between", 0, 2, 2),
            tensor.formatted("a between", 0, 2, 2),
            tensor.formatted("first", 2, 0, 2));
    SafetensorsFile file = TestFiles.read(TestFiles.file("{" + header + "}", 5));
    assertEquals(
        List.of("first", "b between", "a between", "second", "last"),
        List.copyOf(file.tensors().keySet()));
  }

  @Test
  void aMissingTensorIsReportedWithTheExistingNames() {
    List<Tensor> tensors = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      tensors.add(Tensor.of("t" + i, DType.U8, MemorySegment.ofArray(new byte[0]), 0));
    }
    SafetensorsFile file = TestFiles.read(TestFiles.write(tensors, Map.of()));
    NoSuchElementException thrown =
        assertThrows(NoSuchElementException.class, () -> file.tensor("t1000"));
    assertTrue(
        thrown.getMessage().startsWith("the file has no tensor \"t1000\", only [\"t0\", \"t1\", "),
        thrown.getMessage());
    assertTrue(thrown.getMessage().endsWith("(1000 in all)"), thrown.getMessage());
  }

  @Test
  void returnedObjectsCannotBeChanged() {
    byte[] bytes =
        TestFiles.write(
            List.of(Tensor.of("w", DType.U8, MemorySegment.ofArray(new byte[1]), 1)),
            Map.of("k", "v"));
    SafetensorsFile file = TestFiles.read(bytes);
    assertTrue(file.tensor("w").data().isReadOnly());
    assertThrows(UnsupportedOperationException.class, () -> file.tensors().clear());
    assertThrows(UnsupportedOperationException.class, () -> file.metadata().clear());
    assertThrows(
        UnsupportedOperationException.class,
        () -> TestFiles.read(TestFiles.file("{}", 0)).metadata().put("k", "v"));
  }

  @Test
  void segmentsAreReadOnAndOffTheHeap() {
    byte[] bytes =
        TestFiles.write(
            List.of(Tensor.of("w", DType.F32, MemorySegment.ofArray(new float[] {1.5f, 2}), 2)),
            Map.of());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment unaligned = arena.allocate(bytes.length + 1).asSlice(1);
      unaligned.copyFrom(MemorySegment.ofArray(bytes));
      MemorySegment data = SafetensorsFile.of(unaligned).tensor("w").data();
      assertEquals(1.5f, data.get(FLOAT, 0));
      assertEquals(unaligned.address() + bytes.length - 8, data.address());
    }
    long[] longs = new long[bytes.length / Long.BYTES];
    MemorySegment.ofArray(longs).copyFrom(MemorySegment.ofArray(bytes));
    MemorySegment data = SafetensorsFile.of(MemorySegment.ofArray(longs)).tensor("w").data();
    assertEquals(2, data.get(FLOAT, 4));
  }

  @Test
  void nullsAreRejectedByName() {
    Path path = folder.resolve("x.safetensors");
    SafetensorsFile file = TestFiles.read(TestFiles.file("{}", 0));
    assertNull("bytes", () -> SafetensorsFile.of(null));
    assertNull("path", () -> SafetensorsFile.map(null, Arena.global()));
    assertNull("arena", () -> SafetensorsFile.map(path, null));
    assertNull("name", () -> file.tensor(null));
  }

  private static void assertNull(String parameter, Executable read) {
    NullPointerException thrown = assertThrows(NullPointerException.class, read);
    assertTrue(thrown.getMessage().startsWith(parameter + " is null"), thrown.getMessage());
  }

  @Test
  void aFileThatCannotBeMappedIsNamed() throws IOException {
    Path malformed = Files.createFile(folder.resolve("empty.safetensors"));
    Arena arena = Arena.ofAuto();
    SafetensorsException thrown =
        assertThrows(SafetensorsException.class, () -> SafetensorsFile.map(malformed, arena));
    assertEquals(Problem.FILE_TOO_SHORT, thrown.problem());
    assertTrue(thrown.getMessage().startsWith(malformed + ": "), thrown.getMessage());
    for (Path path : List.of(folder.resolve("missing"), folder)) {
      UncheckedIOException unmapped =
          assertThrows(UncheckedIOException.class, () -> SafetensorsFile.map(path, arena));
      assertTrue(
          unmapped.getMessage().startsWith("cannot map " + path + ": "), unmapped.getMessage());
    }
  }

  @Test
  void aTensorBeyondTwoGibibytesIsRead() throws IOException {
    Path path = folder.resolve("large.safetensors");
    long large = (2L << 30) + 4;
    String header =
        "{\"large\":{\"dtype\":\"U8\",\"shape\":[%1$d],\"data_offsets\":[0,%1$d]},".formatted(large)
            + "\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[%d,%d]}}"
                .formatted(large, large + 8);
    byte[] start = TestFiles.file(header, 0);
    try (FileChannel channel =
        FileChannel.open(
            path,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.SPARSE,
            StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(start), 0);
      ByteBuffer end = ByteBuffer.allocate(9).order(ByteOrder.LITTLE_ENDIAN);
      channel.write(end.put((byte) 7).putFloat(1.5f).putFloat(-2).flip(), start.length + large - 1);
    }
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile file = SafetensorsFile.map(path, arena);
      assertEquals(large, file.tensor("large").elements());
      assertEquals(0, file.tensor("large").data().get(ValueLayout.JAVA_BYTE, large - 2));
      assertEquals(7, file.tensor("large").data().get(ValueLayout.JAVA_BYTE, large - 1));
      assertEquals(1.5f, file.tensor("w").data().get(FLOAT, 0));
      assertEquals(-2, file.tensor("w").data().get(FLOAT, 4));
    }
  }

  @Test
  void stringsMayBeLongerThanJacksonWouldTakeThem() {
    String name = "n".repeat(1_000_000);
    String value = "\ud83d\ude00\n".repeat(8_000_000);
    byte[] bytes =
        TestFiles.write(
            List.of(Tensor.of(name, DType.U8, MemorySegment.ofArray(new byte[] {5}), 1)),
            Map.of("key", value));
    SafetensorsFile file = TestFiles.read(bytes);
    assertArrayEquals(new byte[] {5}, TestFiles.bytes(file.tensor(name)));
    assertEquals(value, file.metadata().get("key"));
  }

  /// An algorithm of quadratic time would take hours.
  @Test
  void manyTensorsAreReadInLittleTime() {
    int count = 500_000;
    MemorySegment data = MemorySegment.ofArray(new byte[1]);
    List<Tensor> tensors = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tensors.add(Tensor.of("t" + i, DType.U8, data, 1));
    }
    assertTimeout(
        Duration.ofSeconds(60),
        () -> {
          SafetensorsFile file = TestFiles.read(TestFiles.write(tensors, Map.of()));
          assertEquals(count, file.tensors().size());
        });
  }

  /// Names with equal hash codes: "Aa" and "BB" have the same.
  @Test
  void namesThatCollideAreReadInLittleTime() {
    int bits = 16;
    MemorySegment data = MemorySegment.ofArray(new byte[1]);
    List<Tensor> tensors = new ArrayList<>();
    for (int i = 0; i < 1 << bits; i++) {
      StringBuilder name = new StringBuilder();
      for (int bit = 0; bit < bits; bit++) {
        name.append((i >> bit & 1) == 0 ? "Aa" : "BB");
      }
      tensors.add(Tensor.of(name.toString(), DType.U8, data, 1));
    }
    assertEquals(1, tensors.stream().map(each -> each.name().hashCode()).distinct().count());
    assertTimeout(
        Duration.ofSeconds(60),
        () -> {
          SafetensorsFile file = TestFiles.read(TestFiles.write(tensors, Map.of()));
          assertEquals(1 << bits, file.tensors().size());
        });
  }
}
