package dev.panoptim.internal.factored;

import static dev.panoptim.internal.factored.FactoredBackends.copy;
import static dev.panoptim.internal.factored.FactoredBackends.operations;
import static dev.panoptim.internal.factored.FactoredBackends.random;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.panoptim.Illegal;
import dev.panoptim.backend.Backend;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Engine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Every engine, tier and number of threads reaches the bits of the definition.
@Timeout(120)
class FactoredOperationsTest {
  private static final int CHUNK = WorkSplit.CHUNK;

  /// The sum of the terms of elements `[begin, end)` in the documented order.
  private static double sum(
      MemorySegment x, long begin, long end, DoubleUnaryOperator termOfElement) {
    double all = 0;
    for (long start = begin; start < end; start += CHUNK) {
      double[] lanes = new double[PanoptimAbi.PANOPTIM_LANES()];
      for (long i = start; i < Math.min(start + CHUNK, end); i++) {
        lanes[(int) ((i - start) % lanes.length)] +=
            termOfElement.applyAsDouble(x.getAtIndex(JAVA_FLOAT, i));
      }
      for (int half = lanes.length / 2; half > 0; half /= 2) {
        for (int lane = 0; lane < half; lane++) {
          lanes[lane] += lanes[lane + half];
        }
      }
      all += lanes[0];
    }
    return all;
  }

  private static double columnSum(
      MemorySegment x, FactoredShape shape, long column, DoubleUnaryOperator termOfElement) {
    double all = 0;
    for (long top = 0; top < shape.rows(); top += FactoredShape.BLOCK) {
      double block = 0;
      for (long row = top; row < Math.min(top + FactoredShape.BLOCK, shape.rows()); row++) {
        block +=
            termOfElement.applyAsDouble(x.getAtIndex(JAVA_FLOAT, row * shape.columns() + column));
      }
      all += block;
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "1, 17",
    "17, 1",
    "64, 16",
    "65, 33",
    "3, 16385",
    "130, 300",
    "1, 50001",
    "40000, 1",
    "70, 16400"
  })
  void everyBackendHasTheDefinedBits(int rows, int columns) {
    FactoredShape shape = new FactoredShape(rows, columns, true);
    float scale = -0.7f;
    double addend = 1e-3;
    DoubleUnaryOperator term = x -> (double) (scale * (float) x) * (scale * (float) x) + addend;
    for (int specials : new int[] {0, 1, 300}) {
      long seed = new Random().nextLong();
      try (Arena arena = Arena.ofShared()) {
        Random random = new Random(seed);
        MemorySegment x = random(arena, random, shape.elements(), specials);
        MemorySegment state = random(arena, random, shape.elements(), specials);
        float[] rowFactors = random(arena, random, rows, specials).toArray(JAVA_FLOAT);
        float[] columnFactors = random(arena, random, columns, specials).toArray(JAVA_FLOAT);
        double[] rowSums = new double[rows];
        for (int row = 0; row < rows; row++) {
          rowSums[row] = sum(x, (long) row * columns, (row + 1L) * columns, term);
        }
        double[] columnSums = new double[columns];
        for (int column = 0; column < columns; column++) {
          columnSums[column] = columnSum(x, shape, column, term);
        }
        MemorySegment scaled = arena.allocate(JAVA_FLOAT, shape.elements());
        MemorySegment byRows = arena.allocate(JAVA_FLOAT, shape.elements());
        MemorySegment moments = arena.allocate(JAVA_FLOAT, shape.elements());
        MemorySegment divided = arena.allocate(JAVA_FLOAT, shape.elements());
        for (int i = 0; i < shape.elements(); i++) {
          float each = scale * x.getAtIndex(JAVA_FLOAT, i);
          float factor = rowFactors[i / columns] * columnFactors[i % columns];
          scaled.setAtIndex(JAVA_FLOAT, i, each * (factor > 4 ? 4 : factor));
          byRows.setAtIndex(JAVA_FLOAT, i, each * rowFactors[i / columns]);
          float old = state.getAtIndex(JAVA_FLOAT, i);
          float moment = Math.fma(0.3f, Math.fma(each, each, (float) addend) - old, old);
          moments.setAtIndex(JAVA_FLOAT, i, moment);
          divided.setAtIndex(JAVA_FLOAT, i, each / (float) Math.sqrt(Math.max(moment, 1e-2f)));
        }
        double ofScaled = sum(scaled, 0, shape.elements(), value -> value * value);
        double ofDivided = sum(divided, 0, shape.elements(), value -> value * value);

        for (Backend backend : FactoredBackends.all()) {
          for (int threads = 1; threads <= 3; threads++) {
            String here =
                "%s, %s threads, %s x %s, specials %s, seed %s"
                    .formatted(backend.describe(), threads, rows, columns, specials, seed);
            FactoredOperations on = operations(backend, arena, shape, threads);
            on.sum(scale, addend, x);
            for (int row = 0; row < rows; row++) {
              requireSame(rowSums[row], on.rowSum(row), row, here);
              on.setRowFactor(row, rowFactors[row]);
            }
            for (int column = 0; column < columns; column++) {
              requireSame(columnSums[column], on.columnSum(column), column, here);
              on.setColumnFactor(column, columnFactors[column]);
            }
            MemorySegment result = copy(arena, x);
            assertEquals(ofScaled, on.scale(scale, 4, x, result), here);
            requireBits(scaled, result, here);
            on.scaleRows(scale, x, result);
            requireBits(byRows, result, here);
            result.copyFrom(x);
            on.scaleRows(scale, result, result);
            requireBits(byRows, result, here);
            MemorySegment updated = copy(arena, state);
            assertEquals(
                ofDivided,
                on.updateElements(scale, 0.3f, (float) addend, 1e-2f, x, updated, result),
                here);
            requireBits(moments, updated, here);
            requireBits(divided, result, here);

            FactoredShape ofRows = new FactoredShape(rows, columns, false);
            FactoredOperations rowsOnly = operations(backend, arena, ofRows, threads);
            rowsOnly.sum(scale, addend, x);
            for (int row = 0; row < rows; row++) {
              requireSame(rowSums[row], rowsOnly.rowSum(row), row, here);
            }
          }
        }
      }
    }
  }

  private static void requireSame(double expected, double found, int i, String here) {
    if (Double.compare(expected, found) != 0) {
      assertEquals(expected, found, "sum " + i + ": " + here);
    }
  }

  private static void requireBits(MemorySegment expected, MemorySegment found, String here) {
    for (long i = 0; i < found.byteSize() / Float.BYTES; i++) {
      float value = found.getAtIndex(JAVA_FLOAT, i);
      // floatToIntBits: the canonical NaN.
      if (Float.floatToIntBits(expected.getAtIndex(JAVA_FLOAT, i))
          != Float.floatToRawIntBits(value)) {
        assertEquals(expected.getAtIndex(JAVA_FLOAT, i), value, "element " + i + ": " + here);
      }
    }
  }

  @Test
  void confinedMemoryIsUsedByTheCallingThreadOnly() {
    FactoredShape shape = new FactoredShape(500, 1000, true);
    for (Backend backend : FactoredBackends.all()) {
      try (Arena confined = Arena.ofConfined();
          Arena shared = Arena.ofShared()) {
        MemorySegment x = random(confined, new Random(1), shape.elements(), 0);
        FactoredOperations on = operations(backend, confined, shape, 3);
        FactoredOperations there = operations(backend, shared, shape, 3);
        on.sum(1, 0, x);
        there.sum(1, 0, x);
        assertEquals(sum(x, 0, 1000, value -> value * value), on.rowSum(0), backend.describe());
        assertEquals(on.columnSum(999), there.columnSum(999), backend.describe());
      }
    }
  }

  @Test
  void matricesWithoutElementsAreNothingToDo() {
    for (Backend backend : FactoredBackends.all()) {
      try (Arena arena = Arena.ofShared()) {
        for (long[] size : new long[][] {{0, 0}, {0, 5}, {5, 0}}) {
          FactoredShape shape = new FactoredShape(size[0], size[1], true);
          FactoredOperations on = operations(backend, arena, shape, 2);
          MemorySegment empty = arena.allocate(4, 4).asSlice(0, 0);
          on.sum(1, 0, empty);
          assertEquals(0, on.scale(1, 1, empty, empty));
        }
      }
    }
  }

  @Test
  void wrongOperandsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new FactoredShape(-1, 2, true));
    assertThrows(IllegalArgumentException.class, () -> new FactoredShape(2, -1, true));
    assertThrows(IllegalArgumentException.class, () -> new FactoredShape(1L << 40, 1L << 40, true));
    for (Backend backend : FactoredBackends.all()) {
      try (Arena arena = Arena.ofShared()) {
        FactoredShape shape = new FactoredShape(4, 10, false);
        MemorySegment memory = arena.allocate(4 * 100, 64);
        MemorySegment forty = memory.asSlice(0, 160);
        MemorySegment moved = memory.asSlice(4, 160);
        MemorySegment apart = memory.asSlice(200, 160);
        FactoredOperations on = operations(backend, arena, shape, 1);
        Illegal.assertSays("matrix has 156 bytes", () -> on.sum(1, 0, memory.asSlice(0, 156)));
        Illegal.assertSays("matrix and result overlap", () -> on.scaleRows(1, forty, moved));
        Illegal.assertSays("result is read-only", () -> on.scaleRows(1, forty, apart.asReadOnly()));
        Illegal.assertSays(
            "state and result overlap", () -> on.updateElements(1, 1, 0, 0, forty, apart, apart));
        Illegal.assertSays(
            "state and matrix overlap", () -> on.updateElements(1, 1, 0, 0, forty, moved, apart));
        assertThrows(IllegalStateException.class, () -> on.scale(1, 1, forty, apart));
        MemorySegment small =
            arena.allocate(shape.workspaceBytes(), 64).asSlice(0, shape.workspaceBytes() - 1);
        Illegal.assertSays(
            "workspace is", () -> Engine.of(backend).factoredOperations(shape, small, 1));
      }
    }
  }
}
