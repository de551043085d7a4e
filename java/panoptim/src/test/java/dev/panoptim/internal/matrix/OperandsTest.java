package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// Operands that do not fit together are refused, with the reason.
class OperandsTest {
  private final MemorySegment memory = Arena.ofAuto().allocate(JAVA_FLOAT, 1000);

  private Matrices at(long first, long rows, long columns) {
    return Matrices.dense(List.of(memory.asSlice(first * Float.BYTES)), rows, columns);
  }

  private static void assertRefused(String reason, Executable action) {
    String message = assertThrows(IllegalArgumentException.class, action).getMessage();
    assertTrue(message.contains(reason), message);
  }

  @Test
  void matricesCheckTheirMemory() {
    assertRefused("rows is -1", () -> at(0, -1, 2));
    assertRefused("stride 1", () -> new Matrices(List.of(memory), 2, 2, 1));
    assertRefused("at least 4004 bytes", () -> at(0, 1, 1001));
    assertRefused(
        "off-heap", () -> Matrices.dense(List.of(MemorySegment.ofArray(new float[9])), 3, 3));
    assertRefused("aligned to 4", () -> Matrices.dense(List.of(memory.asSlice(2)), 3, 3));
    assertRefused(
        "more than 2^63-1 bytes", () -> new Matrices(List.of(memory), 1L << 40, 1, 1L << 40));
    assertEquals(0, new Matrices(List.of(memory.asSlice(0, 0)), 1L << 40, 0, 1L << 40).bytes());
  }

  @Test
  void shapesMustFit() {
    assertRefused(
        "right has 1 matrices of 4 x 5",
        () -> new Operands(at(0, 2, 3), at(10, 4, 5), null, at(100, 2, 5)));
    assertRefused(
        "output has 1 matrices of 2 x 4, but must have 1 of 2 x 5",
        () -> new Operands(at(0, 2, 3), at(10, 3, 5), null, at(100, 2, 4)));
    assertRefused(
        "added has 1 matrices of 3 x 2, but must have 1 of 2 x 2",
        () -> new Operands(at(0, 2, 3), null, at(10, 3, 2), at(100, 2, 2)));
    Matrices readOnly = Matrices.dense(List.of(memory.asSlice(400).asReadOnly()), 2, 2);
    assertRefused("output is read-only", () -> new Operands(at(0, 2, 3), null, null, readOnly));
  }

  @Test
  void outputsMustBeApart() {
    assertRefused("overlaps", () -> new Operands(at(0, 2, 3), null, null, at(5, 2, 2)));
    assertRefused("overlaps", () -> new Operands(at(3, 2, 3), null, null, at(0, 2, 2)));
    assertRefused("overlaps", () -> new Operands(at(0, 2, 3), at(10, 3, 2), null, at(15, 2, 2)));
    assertRefused("overlaps", () -> new Operands(at(0, 2, 3), null, at(99, 2, 2), at(100, 2, 2)));
    Matrices twice = Matrices.dense(List.of(memory, memory), 2, 3);
    Matrices outputs =
        Matrices.dense(
            List.of(memory.asSlice(100 * Float.BYTES), memory.asSlice(103 * Float.BYTES)), 2, 2);
    assertRefused("overlaps", () -> new Operands(twice, null, null, outputs));
  }

  @Test
  void addedMatricesMayBeTheOutputs() {
    Operands operands = new Operands(at(0, 2, 3), null, at(6, 2, 2), at(6, 2, 2));
    assertTrue(operands.symmetric());
    assertEquals(6, operands.shape().multiplyAdds());
  }
}
