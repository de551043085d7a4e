package dev.panoptim.device;

import static dev.panoptim.Illegal.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The CPU as a device.
class CpuTest {
  @Test
  void aWrongFillChangesNothing() {
    Device cpu = Device.cpu();
    for (MemorySegment memory :
        List.of(MemorySegment.ofArray(new float[8]), Arena.ofAuto().allocate(JAVA_FLOAT, 8))) {
      assertSays("count is -1", () -> cpu.fill(memory, -1, 1));
      assertSays("count is 4611686018427387904", () -> cpu.fill(memory, 1L << 62, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> cpu.fill(memory, 9, 1));
      assertThrows(IllegalArgumentException.class, () -> cpu.fill(memory.asReadOnly(), 8, 1));
      assertEquals(-1, memory.mismatch(MemorySegment.ofArray(new float[8])));
      cpu.fill(memory, 7, 1.5f);
      assertEquals(1.5f, memory.getAtIndex(JAVA_FLOAT, 6));
      assertEquals(0, memory.getAtIndex(JAVA_FLOAT, 7));
    }
  }
}
