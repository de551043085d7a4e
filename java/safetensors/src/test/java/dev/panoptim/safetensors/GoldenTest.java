package dev.panoptim.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// Files of the Python package (src/test/goldens/make.py) are read, and written again with the same
/// bytes.
class GoldenTest {
  private record Golden(String file, Map<String, String> metadata, List<Tensor> tensors) {
    Golden(String file, Tensor... tensors) {
      this(file, Map.of(), List.of(tensors));
    }

    @Override
    public String toString() {
      return file;
    }
  }

  /// The types that PyTorch has; it has none of 6 bits.
  private static final Set<DType> IN_PYTHON =
      EnumSet.complementOf(EnumSet.of(DType.F6_E2M3, DType.F6_E3M2));

  static final List<Golden> GOLDENS =
      List.of(
          new Golden("empty"),
          new Golden("dtypes", dtypes()),
          new Golden(
              "shapes",
              tensor("scalar", DType.F32),
              tensor("one", DType.F32, 1),
              tensor("none", DType.F32, 0),
              tensor("none of many", DType.I64, 2, 0, 3),
              tensor("ones", DType.U8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
              tensor("three", DType.I16, 2, 3, 4),
              tensor("odd", DType.U8, 7)),
          new Golden("names", names()),
          new Golden(
              "metadata",
              Map.of("key \"\t/\u001f\u007f", "value \\ \n\ud83d\ude00"),
              List.of(tensor("weight", DType.F64, 2))));

  private static Tensor[] dtypes() {
    return IN_PYTHON.stream()
        .map(
            dtype ->
                tensor(
                    dtype.name().toLowerCase(Locale.ROOT),
                    dtype,
                    // PyTorch counts pairs of 4-bit elements.
                    3,
                    dtype == DType.F4 ? 4 : 2))
        .toArray(Tensor[]::new);
  }

  private static Tensor[] names() {
    List<String> names = new ArrayList<>();
    names.addAll(List.of("", " ", "a", "A", "a.b", "a/b", "\"", "\\", "'", "\u007f", "\u0080"));
    names.addAll(List.of("\u00e9", "e\u0301", "\u2028", "\u65e5\u672c"));
    for (int c = 0; c < 32; c++) {
      names.add(Character.toString(c));
    }
    names.addAll(List.of("\ud7ff", "\ue000", "\ufeff", "\uffff", "\ud800\udc00", "\ud83d\ude00"));
    names.addAll(List.of("\udbff\udfff", "\ud83d\ude00\ue000", "x".repeat(300)));
    Tensor[] tensors = new Tensor[names.size()];
    for (int i = 0; i < tensors.length; i++) {
      tensors[i] = tensor(names.get(i), i % 3 == 0 ? DType.I16 : DType.U8, 1);
    }
    return tensors;
  }

  private static Tensor tensor(String name, DType dtype, long... shape) {
    long elements = 1;
    for (long dimension : shape) {
      elements *= dimension;
    }
    byte[] bytes = new byte[(int) (elements * dtype.bits() / Byte.SIZE)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (7 * i + 3 & (dtype == DType.BOOL ? 1 : -1));
    }
    return Tensor.of(name, dtype, MemorySegment.ofArray(bytes), shape);
  }

  private static Path path(Golden golden) {
    return Path.of("src/test/goldens", golden.file + ".safetensors");
  }

  @ParameterizedTest
  @FieldSource("GOLDENS")
  void isRead(Golden golden) {
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile file = SafetensorsFile.map(path(golden), arena);
      assertEquals(golden.metadata, file.metadata());
      assertEquals(
          golden.tensors.stream().map(Tensor::name).collect(Collectors.toSet()),
          file.tensors().keySet());
      for (Tensor expected : golden.tensors) {
        Tensor found = file.tensor(expected.name());
        assertEquals(expected.name(), found.name());
        assertEquals(expected.dtype(), found.dtype());
        assertEquals(expected.shape(), found.shape());
        assertArrayEquals(TestFiles.bytes(expected), TestFiles.bytes(found));
      }
    }
  }

  @ParameterizedTest
  @FieldSource("GOLDENS")
  void isWrittenWithTheSameBytes(Golden golden) throws IOException {
    assertArrayEquals(
        Files.readAllBytes(path(golden)), TestFiles.write(golden.tensors, golden.metadata));
    assertArrayEquals(
        Files.readAllBytes(path(golden)),
        TestFiles.write(golden.tensors.reversed(), golden.metadata));
  }

  @ParameterizedTest
  @FieldSource("GOLDENS")
  void theOrderIsThatOfTheFile(Golden golden) {
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile file = SafetensorsFile.map(path(golden), arena);
      assertEquals(
          SafetensorsWriter.layout(golden.tensors, golden.metadata).tensors().stream()
              .map(Tensor::name)
              .toList(),
          List.copyOf(file.tensors().keySet()));
    }
  }

  @ParameterizedTest
  @FieldSource("GOLDENS")
  void everyTruncationIsRejected(Golden golden) throws IOException {
    byte[] bytes = Files.readAllBytes(path(golden));
    for (int length = 0; length < bytes.length; length++) {
      byte[] truncated = Arrays.copyOf(bytes, length);
      assertThrows(SafetensorsException.class, () -> TestFiles.read(truncated));
    }
  }
}
