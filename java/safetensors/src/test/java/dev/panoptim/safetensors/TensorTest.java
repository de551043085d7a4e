package dev.panoptim.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class TensorTest {
  private static void assertRefused(
      Problem problem, String message, DType dtype, int bytes, long... shape) {
    MemorySegment data = MemorySegment.ofArray(new byte[bytes]);
    SafetensorsException thrown =
        assertThrows(SafetensorsException.class, () -> Tensor.of("w", dtype, data, shape));
    assertEquals(problem, thrown.problem());
    assertTrue(thrown.getMessage().contains(message), thrown.getMessage());
  }

  @Test
  void theDataMustFitTheShape() {
    assertRefused(Problem.SIZE_MISMATCH, "F32 [2] takes 8 bytes, but data has 7", DType.F32, 7, 2);
    assertRefused(Problem.SIZE_MISMATCH, "F32 [] takes 4 bytes, but data has 0", DType.F32, 0);
    assertRefused(Problem.SIZE_MISMATCH, "takes 0 bytes, but data has 1", DType.U8, 1, 3, 0);
    assertRefused(Problem.PARTIAL_BYTE, "takes 12 bits", DType.F4, 2, 3);
    assertRefused(Problem.INVALID_NUMBER, "dimension -1", DType.F32, 4, -1, -1);
    assertRefused(Problem.INVALID_NUMBER, "dimension -1", DType.F32, 0, 0, -1);
    assertRefused(Problem.SIZE_OVERFLOW, "2^63 - 1 bits", DType.F32, 0, 1L << 32, 1L << 32);
    assertRefused(Problem.SIZE_OVERFLOW, "2^63 - 1 bits", DType.F32, 0, 1L << 58);
    assertRefused(Problem.SIZE_OVERFLOW, "2^63 - 1 bits", DType.C64, 0, Long.MAX_VALUE);
    assertRefused(Problem.SIZE_OVERFLOW, "2^63 - 1 bits", DType.U8, 0, 1L << 32, 1L << 32, 0);
  }

  @Test
  void elementsAreTheProductOfTheShape() {
    MemorySegment data = MemorySegment.ofArray(new byte[24]);
    assertEquals(6, Tensor.of("w", DType.F32, data, 2, 3).elements());
    assertEquals(48, Tensor.of("w", DType.F4, data, 6, 8).elements());
    assertEquals(32, Tensor.of("w", DType.F6_E3M2, data, 32).elements());
    assertEquals(1, Tensor.of("w", DType.U8, data.asSlice(0, 1)).elements());
    assertEquals(0, Tensor.of("w", DType.U8, data.asSlice(0, 0), 5, 0).elements());
  }

  @Test
  void theShapeIsACopy() {
    List<Long> shape = new ArrayList<>(List.of(2L));
    Tensor tensor = new Tensor("w", DType.U8, shape, MemorySegment.ofArray(new byte[2]));
    shape.set(0, 3L);
    assertEquals(List.of(2L), tensor.shape());
    assertThrows(UnsupportedOperationException.class, () -> tensor.shape().set(0, 3L));
  }

  @Test
  void nullsAreRejectedByName() {
    MemorySegment data = MemorySegment.ofArray(new byte[1]);
    assertNull("name", () -> Tensor.of(null, DType.U8, data, 1));
    assertNull("dtype", () -> Tensor.of("w", null, data, 1));
    assertNull("shape", () -> new Tensor("w", DType.U8, null, data));
    assertNull("data", () -> Tensor.of("w", DType.U8, null, 1));
  }

  private static void assertNull(String parameter, Executable made) {
    NullPointerException thrown = assertThrows(NullPointerException.class, made);
    assertTrue(thrown.getMessage().startsWith(parameter + " is null"), thrown.getMessage());
  }

  @Test
  void theDtypesAreInTheOrderOfTheReference() {
    assertEquals(
        "[BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ,"
            + " I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64]",
        Arrays.toString(DType.values()));
    assertEquals(
        List.of(8, 4, 6, 6, 8, 8, 8, 8, 8, 8, 8, 16, 16, 16, 16, 32, 32, 32, 64, 64, 64, 64),
        Arrays.stream(DType.values()).map(DType::bits).toList());
  }
}
