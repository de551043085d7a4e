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
import org.junit.jupiter.params.provider.EnumSource;

/// Directions and states of Adafactor: their distance from a computation in double, and their bits
/// on every backend.
@Timeout(120)
class FactoredMomentTest {
  private static double epsilon(MomentForm form) {
    return form == MomentForm.PYTORCH ? 0x1p-23 : 1e-30;
  }

  /// Adafactor in double, for a matrix; without factors, for a vector.
  private static final class Reference {
    final MomentForm form;
    final int rows;
    final int columns;
    final double[] rowMeans;
    final double[] columnMeans;
    final double[] elements;

    Reference(MomentForm form, int rows, int columns) {
      this.form = form;
      this.rows = rows;
      this.columns = columns;
      rowMeans = new double[rows];
      columnMeans = new double[columns];
      elements = new double[rows * columns];
    }

    private double square(MemorySegment g, int i, double scale) {
      return Math.pow(scale * g.getAtIndex(JAVA_FLOAT, i), 2)
          + (form == MomentForm.TRANSFORMERS ? epsilon(form) : 0);
    }

    private double least() {
      return form == MomentForm.PYTORCH ? Math.pow(epsilon(form), 2) : 0;
    }

    double[] factored(MemorySegment g, double scale, double beta2) {
      double[] freshRows = new double[rows];
      double[] freshColumns = new double[columns];
      for (int i = 0; i < rows * columns; i++) {
        freshRows[i / columns] += square(g, i, scale) / columns;
        freshColumns[i % columns] += square(g, i, scale) / rows;
      }
      double mean = 0;
      for (int row = 0; row < rows; row++) {
        rowMeans[row] = beta2 * rowMeans[row] + (1 - beta2) * freshRows[row];
        mean += rowMeans[row] / rows;
      }
      for (int column = 0; column < columns; column++) {
        columnMeans[column] = beta2 * columnMeans[column] + (1 - beta2) * freshColumns[column];
      }
      mean = form == MomentForm.PYTORCH ? Math.max(mean, epsilon(form)) : mean;
      double[] direction = new double[rows * columns];
      for (int i = 0; i < direction.length; i++) {
        double v = rowMeans[i / columns] * columnMeans[i % columns] / mean;
        direction[i] = scale * g.getAtIndex(JAVA_FLOAT, i) / Math.sqrt(Math.max(v, least()));
      }
      return direction;
    }

    double[] ofElements(MemorySegment g, double scale, double beta2) {
      double[] direction = new double[elements.length];
      for (int i = 0; i < direction.length; i++) {
        elements[i] = beta2 * elements[i] + (1 - beta2) * square(g, i, scale);
        direction[i] =
            scale * g.getAtIndex(JAVA_FLOAT, i) / Math.sqrt(Math.max(elements[i], least()));
      }
      return direction;
    }
  }

  private static void requireNear(double[] expected, MemorySegment found, String here) {
    for (int i = 0; i < expected.length; i++) {
      double value = found.getAtIndex(JAVA_FLOAT, i);
      if (!(Math.abs(value - expected[i]) <= 1e-6 * Math.abs(expected[i]))) {
        assertEquals(expected[i], value, "element " + i + ": " + here);
      }
    }
  }

  private static double meanSquare(double[] direction) {
    double sum = 0;
    for (double each : direction) {
      sum += each * each / direction.length;
    }
    return sum;
  }

  private static double beta2(int step) {
    return 1 - Math.pow(step, -0.8);
  }

  @ParameterizedTest
  @CsvSource({
    "PYTORCH, 40, 50",
    "PYTORCH, 1, 300",
    "PYTORCH, 300, 1",
    "PYTORCH, 130, 17000",
    "TRANSFORMERS, 40, 50",
    "TRANSFORMERS, 1, 300",
    "TRANSFORMERS, 300, 1",
    "TRANSFORMERS, 130, 17000"
  })
  void directionsAreNearToDoubleAndTheSameOnEveryBackend(MomentForm form, int rows, int columns) {
    long seed = new Random().nextLong();
    FactoredShape shape = new FactoredShape(rows, columns, true);
    float scale = 0.25f;
    try (Arena arena = Arena.ofShared()) {
      Random random = new Random(seed);
      MemorySegment[] gradients = new MemorySegment[3];
      for (int i = 0; i < gradients.length; i++) {
        gradients[i] = random(arena, random, shape.elements(), 0);
      }
      int[][] first = null;
      for (Backend backend : FactoredBackends.all()) {
        for (int threads = 1; threads <= 3; threads++) {
          String here = "%s, %s threads, seed %s".formatted(backend.describe(), threads, seed);
          FactoredOperations on = operations(backend, arena, shape, threads);
          FactoredMoment moment = new FactoredMoment(on, form, epsilon(form));
          MemorySegment rowMeans = arena.allocate(JAVA_FLOAT, rows);
          MemorySegment columnMeans = arena.allocate(JAVA_FLOAT, columns);
          MemorySegment output = arena.allocate(JAVA_FLOAT, shape.elements());
          Reference reference = first == null ? new Reference(form, rows, columns) : null;
          for (int step = 1; step <= gradients.length; step++) {
            double mean =
                moment.update(
                    scale, beta2(step), gradients[step - 1], rowMeans, columnMeans, output);
            if (reference != null) {
              double[] expected = reference.factored(gradients[step - 1], scale, beta2(step));
              requireNear(expected, output, here);
              requireNear(reference.rowMeans, rowMeans, here);
              requireNear(reference.columnMeans, columnMeans, here);
              assertEquals(1, mean / meanSquare(expected), 1e-6, here);
            }
          }
          int[][] bits = {
            rowMeans.toArray(JAVA_INT), columnMeans.toArray(JAVA_INT), output.toArray(JAVA_INT)
          };
          if (first == null) {
            first = bits;
          }
          assertArrayEquals(first, bits, here);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(MomentForm.class)
  void vectorsHaveAStateForEachElement(MomentForm form) {
    long seed = new Random().nextLong();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment gradient = random(arena, new Random(seed), 40_001, 0);
      for (Backend backend : FactoredBackends.all()) {
        String here = backend.describe() + ", seed " + seed;
        FactoredOperations on = operations(backend, arena, FactoredShape.vector(40_001), 2);
        ElementMoment moment = new ElementMoment(on, form, epsilon(form));
        Reference reference = new Reference(form, 1, 40_001);
        MemorySegment state = arena.allocate(JAVA_FLOAT, 40_001);
        MemorySegment output = arena.allocate(JAVA_FLOAT, 40_001);
        for (int step = 1; step <= 3; step++) {
          double mean = moment.update(0.5f, beta2(step), gradient, state, output);
          double[] expected = reference.ofElements(gradient, 0.5, beta2(step));
          requireNear(expected, output, here);
          requireNear(reference.elements, state, here);
          assertEquals(1, mean / meanSquare(expected), 1e-6, here);
        }
      }
    }
  }

  /// PyTorch limits the second moment of each element from below by the square of epsilon.
  @Test
  void smallGradientsHaveTheLeastMoment() {
    try (Arena arena = Arena.ofShared()) {
      FactoredShape shape = new FactoredShape(3, 40, true);
      MemorySegment gradient = arena.allocate(JAVA_FLOAT, shape.elements());
      for (int i = 0; i < shape.elements(); i++) {
        // A row of 0, one of small numbers, one of ordinary ones.
        gradient.setAtIndex(JAVA_FLOAT, i, i < 40 ? 0 : i < 80 ? 1e-9f * (i - 60) : i - 100.5f);
      }
      MemorySegment output = arena.allocate(JAVA_FLOAT, shape.elements());
      for (float scale : new float[] {1, 1e-9f, 1e-20f}) {
        for (Backend backend : FactoredBackends.all()) {
          FactoredMoment moment =
              new FactoredMoment(operations(backend, arena, shape, 1), MomentForm.PYTORCH, 0x1p-23);
          moment.update(
              scale,
              0,
              gradient,
              arena.allocate(JAVA_FLOAT, 3),
              arena.allocate(JAVA_FLOAT, 40),
              output);
          double[] expected = new Reference(MomentForm.PYTORCH, 3, 40).factored(gradient, scale, 0);
          for (int i = 0; i < expected.length; i++) {
            float found = output.getAtIndex(JAVA_FLOAT, i);
            String here = backend.describe() + ", scale " + scale + ", element " + i;
            // States of a scale of 1e-20 are denormal floats.
            double near = scale == 1e-20f ? 1e-2 : 1e-6;
            assertEquals(expected[i], found, near * Math.abs(expected[i]) + 1e-30, here);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(MomentForm.class)
  void numbersThatAreNotFiniteHaveTheSameBitsOnEveryBackend(MomentForm form) {
    long seed = new Random().nextLong();
    try (Arena arena = Arena.ofShared()) {
      FactoredShape shape = new FactoredShape(70, 33, true);
      int[][] first = null;
      for (Backend backend : FactoredBackends.all()) {
        MemorySegment rowMeans = arena.allocate(JAVA_FLOAT, 70);
        MemorySegment columnMeans = arena.allocate(JAVA_FLOAT, 33);
        MemorySegment output = arena.allocate(JAVA_FLOAT, shape.elements());
        FactoredMoment moment =
            new FactoredMoment(operations(backend, arena, shape, 2), form, epsilon(form));
        Random random = new Random(seed);
        int[][] bits = new int[9][];
        for (int step = 1; step <= 3; step++) {
          MemorySegment gradient = random(arena, random, shape.elements(), step);
          if (step == 2) {
            gradient.setAtIndex(JAVA_FLOAT, 40, Float.NaN);
          }
          double mean = moment.update(1, beta2(step), gradient, rowMeans, columnMeans, output);
          bits[3 * step - 3] = rowMeans.toArray(JAVA_INT);
          bits[3 * step - 2] = columnMeans.toArray(JAVA_INT);
          bits[3 * step - 1] = output.toArray(JAVA_INT);
          if (step >= 2) {
            assertTrue(Double.isNaN(mean), backend.describe());
            assertEquals(0x7fc00000, bits[3 * step - 3][1], "the row's state");
            assertEquals(0x7fc00000, bits[3 * step - 2][7], "the column's state");
            assertEquals(0x7fc00000, bits[3 * step - 1][0], "an element elsewhere");
          }
        }
        first = first == null ? bits : first;
        assertArrayEquals(first, bits, backend.describe() + ", seed " + seed);
      }
    }
  }

  @Test
  void theOutputMayBeTheGradient() {
    try (Arena arena = Arena.ofShared()) {
      FactoredShape shape = new FactoredShape(70, 500, true);
      for (Backend backend : FactoredBackends.all()) {
        MemorySegment gradient = random(arena, new Random(4), shape.elements(), 0);
        MemorySegment before = copy(arena, gradient);
        MemorySegment output = arena.allocate(JAVA_FLOAT, shape.elements());
        FactoredMoment moment =
            new FactoredMoment(operations(backend, arena, shape, 2), MomentForm.PYTORCH, 1e-7);
        MemorySegment rows = arena.allocate(JAVA_FLOAT, 70);
        MemorySegment columns = arena.allocate(JAVA_FLOAT, 500);
        moment.update(1, 0, gradient, rows, columns, output);
        assertEquals(-1, before.mismatch(gradient), "the gradient is not changed");
        moment.update(1, 0, gradient, rows.fill((byte) 0), columns.fill((byte) 0), gradient);
        assertArrayEquals(output.toArray(JAVA_INT), gradient.toArray(JAVA_INT));
      }
    }
  }

  @Test
  void updatesAllocateNothing() {
    try (Arena arena = Arena.ofShared()) {
      FactoredShape shape = new FactoredShape(30, 70, true);
      MemorySegment gradient = random(arena, new Random(4), shape.elements(), 0);
      MemorySegment rows = arena.allocate(JAVA_FLOAT, 30);
      MemorySegment columns = arena.allocate(JAVA_FLOAT, 70);
      MemorySegment state = arena.allocate(JAVA_FLOAT, shape.elements());
      MemorySegment output = arena.allocate(JAVA_FLOAT, shape.elements());
      for (Backend backend : FactoredBackends.withoutVectorApi()) {
        FactoredOperations on = operations(backend, arena, shape, 1);
        FactoredMoment moment = new FactoredMoment(on, MomentForm.PYTORCH, 1e-7);
        ElementMoment ofElements = new ElementMoment(on, MomentForm.PYTORCH, 1e-7);
        Allocations.assertNone(
            backend.describe(),
            500,
            () -> {
              moment.update(1, 0.9, gradient, rows, columns, output);
              ofElements.update(1, 0.9, gradient, state, output);
            });
      }
    }
  }

  @Test
  void wrongArgumentsAreRefused() {
    try (Arena arena = Arena.ofShared()) {
      FactoredOperations on =
          operations(Backends.scalar(), arena, new FactoredShape(2, 3, true), 1);
      FactoredOperations vector = operations(Backends.scalar(), arena, FactoredShape.vector(6), 1);
      for (double epsilon : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
        Illegal.assertSays(
            "epsilon is " + epsilon, () -> new FactoredMoment(on, MomentForm.PYTORCH, epsilon));
        Illegal.assertSays(
            "epsilon is " + epsilon, () -> new ElementMoment(on, MomentForm.PYTORCH, epsilon));
      }
      Illegal.assertSays(
          "must have columns", () -> new FactoredMoment(vector, MomentForm.PYTORCH, 1e-7));
      FactoredMoment moment = new FactoredMoment(on, MomentForm.PYTORCH, 1e-7);
      ElementMoment ofElements = new ElementMoment(vector, MomentForm.PYTORCH, 1e-7);
      MemorySegment two = arena.allocate(JAVA_FLOAT, 2);
      MemorySegment three = arena.allocate(JAVA_FLOAT, 3);
      MemorySegment six = arena.allocate(JAVA_FLOAT, 6);
      MemorySegment sum = arena.allocate(JAVA_FLOAT, 6);
      for (double beta2 : new double[] {-0.1, 1.1, Double.NaN}) {
        Illegal.assertSays(
            "beta2 is " + beta2, () -> moment.update(1, beta2, six, two, three, sum));
        Illegal.assertSays("beta2 is " + beta2, () -> ofElements.update(1, beta2, six, sum, six));
      }
      Illegal.assertSays(
          "rowMeans has 12 bytes", () -> moment.update(1, 0, six, three, three, sum));
      Illegal.assertSays("columnMeans has 8 bytes", () -> moment.update(1, 0, six, two, two, sum));
      Illegal.assertSays("matrix has 12 bytes", () -> moment.update(1, 0, three, two, three, sum));
      Illegal.assertSays("output has 12 bytes", () -> moment.update(1, 0, six, two, three, three));
      Illegal.assertSays("state has 12 bytes", () -> ofElements.update(1, 0, six, three, sum));
      assertArrayEquals(new float[2], two.toArray(JAVA_FLOAT));
    }
  }
}
