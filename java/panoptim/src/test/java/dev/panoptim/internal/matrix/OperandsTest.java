package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Illegal;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Operands that do not fit together are refused, with the reason.
class OperandsTest {
  private final MemorySegment memory = Arena.ofAuto().allocate(JAVA_FLOAT, 1000);

  private Matrices at(long first, long rows, long columns) {
    return Matrices.dense(List.of(memory.asSlice(first * Float.BYTES)), rows, columns);
  }

  @Test
  void matricesCheckTheirMemory() {
    Illegal.assertSays("rows is -1", () -> at(0, -1, 2));
    Illegal.assertSays("stride 1", () -> new Matrices(List.of(memory), 2, 2, 1));
    Illegal.assertSays("at least 4004 bytes", () -> at(0, 1, 1001));
    Illegal.assertSays(
        "off-heap", () -> Matrices.dense(List.of(MemorySegment.ofArray(new float[9])), 3, 3));
    Illegal.assertSays("aligned to 4", () -> Matrices.dense(List.of(memory.asSlice(2)), 3, 3));
    Illegal.assertSays(
        "more than 2^63-1 bytes", () -> new Matrices(List.of(memory), 1L << 40, 1, 1L << 40));
    assertEquals(0, new Matrices(List.of(memory.asSlice(0, 0)), 1L << 40, 0, 1L << 40).bytes());
  }

  @Test
  void shapesMustFit() {
    Illegal.assertSays(
        "right has 1 matrices of 4 x 5",
        () -> new Operands(at(0, 2, 3), at(10, 4, 5), null, at(100, 2, 5)));
    Illegal.assertSays(
        "output has 1 matrices of 2 x 4, but must have 1 of 2 x 5",
        () -> new Operands(at(0, 2, 3), at(10, 3, 5), null, at(100, 2, 4)));
    Illegal.assertSays(
        "added has 1 matrices of 3 x 2, but must have 1 of 2 x 2",
        () -> new Operands(at(0, 2, 3), null, at(10, 3, 2), at(100, 2, 2)));
    Matrices readOnly = Matrices.dense(List.of(memory.asSlice(400).asReadOnly()), 2, 2);
    Illegal.assertSays(
        "output is read-only", () -> new Operands(at(0, 2, 3), null, null, readOnly));
  }

  @Test
  void outputsMustBeApart() {
    Illegal.assertSays("overlaps", () -> new Operands(at(0, 2, 3), null, null, at(5, 2, 2)));
    Illegal.assertSays("overlaps", () -> new Operands(at(3, 2, 3), null, null, at(0, 2, 2)));
    Illegal.assertSays(
        "overlaps", () -> new Operands(at(0, 2, 3), at(10, 3, 2), null, at(15, 2, 2)));
    Illegal.assertSays(
        "overlaps", () -> new Operands(at(0, 2, 3), null, at(99, 2, 2), at(100, 2, 2)));
    Matrices twice = Matrices.dense(List.of(memory, memory), 2, 3);
    Matrices outputs =
        Matrices.dense(
            List.of(memory.asSlice(100 * Float.BYTES), memory.asSlice(103 * Float.BYTES)), 2, 2);
    Illegal.assertSays("overlaps", () -> new Operands(twice, null, null, outputs));
  }

  @Test
  void addedMatricesMayBeTheOutputs() {
    Operands operands = new Operands(at(0, 2, 3), null, at(6, 2, 2), at(6, 2, 2));
    assertTrue(operands.symmetric());
    assertEquals(6, operands.shape().multiplyAdds());
  }
}
