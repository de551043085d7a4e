package dev.panoptim.internal.factored;

import static dev.panoptim.internal.factored.FactoredBackends.copy;
import static dev.panoptim.internal.factored.FactoredBackends.operations;
import static dev.panoptim.internal.factored.FactoredBackends.random;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Allocations;
import dev.panoptim.Illegal;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Adaptive clipping against a computation in double, and its bits on every backend.
@Timeout(120)
class AdaptiveClippingTest {
  private static AdaptiveClipping clipping(
      Backend backend, Arena arena, FactoredShape shape, int threads) {
    return new AdaptiveClipping(operations(backend, arena, shape, threads));
  }

  private static double norm(MemorySegment x, int row, int columns) {
    double squares = 0;
    for (int i = row * columns; i < (row + 1) * columns; i++) {
      squares += Math.pow(x.getAtIndex(JAVA_FLOAT, i), 2);
    }
    return Math.sqrt(squares);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 50000", "200, 300", "70, 17000", "500, 1"})
  void rowsAreLimitedByTheNormOfTheParameter(int rows, int columns) {
    long seed = new Random().nextLong();
    FactoredShape shape = new FactoredShape(rows, columns, false);
    float scale = 0.5f;
    try (Arena arena = Arena.ofShared()) {
      Random random = new Random(seed);
      MemorySegment parameter = random(arena, random, shape.elements(), 0);
      MemorySegment gradient = random(arena, random, shape.elements(), 0);
      // Rows on either side of the limit, and a few below epsilon.
      for (int i = 0; i < shape.elements(); i++) {
        float factor = i / columns % 3 == 0 ? 1 : i / columns % 3 == 1 ? 100 : 1e-12f;
        parameter.setAtIndex(JAVA_FLOAT, i, factor * parameter.getAtIndex(JAVA_FLOAT, i));
      }
      double[] factors = new double[rows];
      long expectedCount = 0;
      for (int row = 0; row < rows; row++) {
        double limit = 0.1 * Math.max(norm(parameter, row, columns), 1e-3);
        factors[row] = Math.min(1, limit / (scale * norm(gradient, row, columns)));
        expectedCount += factors[row] < 1 ? 1 : 0;
      }
      int[] first = null;
      for (Backend backend : FactoredBackends.all()) {
        for (int threads = 1; threads <= 3; threads++) {
          String here = "%s, %s threads, seed %s".formatted(backend.describe(), threads, seed);
          MemorySegment clipped = copy(arena, gradient);
          MemorySegment before = copy(arena, parameter);
          long count =
              clipping(backend, arena, shape, threads).clip(0.1, 1e-3, scale, parameter, clipped);
          assertEquals(expectedCount, count, here);
          assertEquals(-1, before.mismatch(parameter), here);
          int[] bits = clipped.toArray(JAVA_INT);
          if (first == null) {
            first = bits;
            for (int i = 0; i < shape.elements(); i++) {
              double expected = factors[i / columns] * gradient.getAtIndex(JAVA_FLOAT, i);
              float found = clipped.getAtIndex(JAVA_FLOAT, i);
              assertEquals(expected, found, 2e-7 * Math.abs(expected), here);
            }
          }
          assertArrayEquals(first, bits, here);
        }
      }
    }
  }

  @Test
  void rowsWithinTheLimitKeepTheirBits() {
    try (Arena arena = Arena.ofShared()) {
      FactoredShape shape = new FactoredShape(3, 20, false);
      MemorySegment parameter = arena.allocate(JAVA_FLOAT, 60);
      MemorySegment gradient = random(arena, new Random(2), 60, 0);
      for (int i = 0; i < 60; i++) {
        parameter.setAtIndex(JAVA_FLOAT, i, i < 20 ? 0 : 1e30f);
        // The gradient of the parameter without a norm is 0 too.
        gradient.setAtIndex(JAVA_FLOAT, i, i < 20 ? -0f : gradient.getAtIndex(JAVA_FLOAT, i));
      }
      for (Backend backend : FactoredBackends.all()) {
        MemorySegment clipped = copy(arena, gradient);
        assertEquals(0, clipping(backend, arena, shape, 1).clip(0.1, 1e-3, 1, parameter, clipped));
        assertArrayEquals(gradient.toArray(JAVA_INT), clipped.toArray(JAVA_INT));
      }
    }
  }

  @Test
  void rowsThatAreNotFiniteAffectNoOtherRow() {
    try (Arena arena = Arena.ofShared()) {
      FactoredShape shape = new FactoredShape(4, 20, false);
      MemorySegment parameter = random(arena, new Random(1), 80, 0);
      MemorySegment gradient = random(arena, new Random(2), 80, 0);
      parameter.setAtIndex(JAVA_FLOAT, 5, Float.NaN);
      gradient.setAtIndex(JAVA_FLOAT, 25, Float.NaN);
      gradient.setAtIndex(JAVA_FLOAT, 45, Float.NEGATIVE_INFINITY);
      gradient.setAtIndex(JAVA_FLOAT, 46, 3);
      for (Backend backend : FactoredBackends.all()) {
        MemorySegment clipped = copy(arena, gradient);
        clipping(backend, arena, shape, 1).clip(0.1, 1e-3, 1, parameter, clipped);
        int[] bits = clipped.toArray(JAVA_INT);
        for (int i = 0; i < 40; i++) {
          assertEquals(0x7fc00000, bits[i], backend.describe() + ", element " + i);
        }
        assertEquals(0x7fc00000, bits[45], backend.describe());
        assertEquals(0, bits[46], backend.describe());
        for (int i = 60; i < 80; i++) {
          assertTrue(Float.isFinite(Float.intBitsToFloat(bits[i])), backend.describe());
        }
      }
    }
  }

  @Test
  void clippingAllocatesNothing() {
    try (Arena arena = Arena.ofShared()) {
      FactoredShape shape = new FactoredShape(30, 70, false);
      MemorySegment parameter = random(arena, new Random(1), shape.elements(), 0);
      MemorySegment gradient = random(arena, new Random(2), shape.elements(), 0);
      for (Backend backend : FactoredBackends.withoutVectorApi()) {
        AdaptiveClipping clipping = clipping(backend, arena, shape, 1);
        Allocations.assertNone(
            backend.describe(), 500, () -> clipping.clip(0.1, 1e-3, 1.001f, parameter, gradient));
      }
    }
  }

  @Test
  void wrongArgumentsAreRefused() {
    try (Arena arena = Arena.ofShared()) {
      FactoredOperations on = operations(Backends.scalar(), arena, FactoredShape.vector(6), 1);
      AdaptiveClipping clipping = new AdaptiveClipping(on);
      MemorySegment six = arena.allocate(JAVA_FLOAT, 6);
      MemorySegment five = arena.allocate(JAVA_FLOAT, 5);
      Illegal.assertSays("parameter has 20 bytes", () -> clipping.clip(0.1, 1e-3, 1, five, six));
      Illegal.assertSays("gradient has 20 bytes", () -> clipping.clip(0.1, 1e-3, 1, six, five));
      Illegal.assertSays(
          "gradient is read-only", () -> clipping.clip(0.1, 1e-3, 1, six, six.asReadOnly()));
    }
  }
}
