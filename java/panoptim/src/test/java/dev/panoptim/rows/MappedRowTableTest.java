package dev.panoptim.rows;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A table in a file continues where it was closed.
class MappedRowTableTest {
  @TempDir Path folder;

  static List<RowCase> cases() {
    return RowCase.all();
  }

  private static RowTable.Builder builder(RowOptimizer optimizer) {
    return RowTable.builder(40, 6).optimizer(optimizer).normal(0.5, 8);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void itContinuesWithTheSameBits(RowCase tested) {
    Path file = folder.resolve("table");
    try (Arena arena = Arena.ofConfined();
        RowTable expected = builder(tested.rows()).build()) {
      RowBatches batches = new RowBatches(arena, 5, 30, 40, 6, false);
      for (int part = 0; part < 4; part++) {
        try (RowTable table = builder(tested.rows()).buildMapped(file)) {
          assertEquals(part * 10, table.steps());
          for (int step = 0; step < 10; step++) {
            batches.next();
            table.step(batches.rowIds(), batches.gradients);
            expected.step(batches.rowIds(), batches.gradients);
          }
          assertArrayEquals(
              expected.data().toArray(ValueLayout.JAVA_INT),
              table.data().toArray(ValueLayout.JAVA_INT));
        }
      }
    }
  }

  @Test
  void aFileWithAnImpossibleNumberOfStepsIsRefused() throws Exception {
    Path file = folder.resolve("table");
    for (MissedSteps missed : MissedSteps.values()) {
      RowTable.Builder table = builder(RowOptimizer.adam(0.1).missedSteps(missed));
      table.buildMapped(file).close();
      byte[] bytes = Files.readAllBytes(file);
      for (long steps : new long[] {-2, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40}) {
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putLong(bytes.length - 8, steps);
        Files.write(file, bytes);
        String message =
            assertThrows(IllegalArgumentException.class, () -> table.buildMapped(file))
                .getMessage();
        assertTrue(message.contains("steps is " + steps), message);
        assertArrayEquals(bytes, Files.readAllBytes(file));
      }
      Files.delete(file);
    }
  }

  @Test
  void optionsThatDoNotFitCreateNoFile() {
    Path file = folder.resolve("table");
    assertThrows(
        IllegalArgumentException.class,
        () -> builder(RowOptimizer.sgd(0.1).nesterov(true)).buildMapped(file));
    assertFalse(Files.exists(file));
  }

  @Test
  void aFileOfAnotherTableIsRefusedAndStays() throws Exception {
    Path file = folder.resolve("table");
    try (RowTable table = builder(RowOptimizer.adam(0.1)).buildMapped(file)) {
      table.step(RowIds.of(), Arena.ofAuto().allocate(0));
    }
    byte[] before = Files.readAllBytes(file);
    for (RowTable.Builder other :
        List.of(
            builder(RowOptimizer.adamW(0.1)),
            builder(RowOptimizer.adam(0.1).betas(0.8, 0.9)),
            builder(RowOptimizer.adam(0.1).missedSteps(MissedSteps.APPLIED)),
            RowTable.builder(41, 6).optimizer(RowOptimizer.adam(0.1)),
            RowTable.builder(40, 7).optimizer(RowOptimizer.adam(0.1)))) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> other.buildMapped(file)).getMessage();
      assertTrue(message.contains("a table of 40 rows of width 6 by adam"), message);
    }
    assertArrayEquals(before, Files.readAllBytes(file));
    // The learning rate may differ.
    try (RowTable table = builder(RowOptimizer.adam(0.3)).buildMapped(file)) {
      assertEquals(1, table.steps());
      assertEquals(0.3, table.learningRate());
    }
    assertThrows(
        UncheckedIOException.class, () -> builder(RowOptimizer.adam(0.3)).buildMapped(folder));
  }
}
