package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Allocations;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/// The singular values of the results, their distance from an iteration in double, and their bits
/// on every implementation of products.
class NewtonSchulzTest {
  private static final NewtonSchulzCoefficients ORIGINAL = NewtonSchulzCoefficients.ORIGINAL;

  /// Orthogonalizes matrices in place.
  private static float[][] orthogonalized(
      Products products,
      NewtonSchulzCoefficients coefficients,
      int steps,
      int rows,
      int columns,
      int threads,
      float[]... matrices) {
    try (Arena arena = Arena.ofShared()) {
      List<MemorySegment> memory = new ArrayList<>();
      for (float[] each : matrices) {
        memory.add(arena.allocateFrom(JAVA_FLOAT, each));
      }
      NewtonSchulz.Shape shape = new NewtonSchulz.Shape(matrices.length, rows, columns);
      MemorySegment workspace =
          arena.allocate(
              NewtonSchulz.workspaceBytes(products, shape, threads), Workspaces.ALIGNMENT);
      new NewtonSchulz(products, coefficients, shape, memory, memory, workspace, threads)
          .orthogonalize(steps, threads);
      return memory.stream().map(each -> each.toArray(JAVA_FLOAT)).toArray(float[][]::new);
    }
  }

  private static Products fastest() {
    return EveryProducts.ALL.getLast();
  }

  private static float[] random(Random random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static double[][] rows(float[] values, int rows, int columns) {
    double[][] matrix = new double[rows][columns];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        matrix[i][j] = values[i * columns + j];
      }
    }
    return matrix;
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  @Test
  void singularValuesOfTheTestAreRight() {
    assertArrayEquals(new double[] {2, 3}, SingularValues.of(new double[][] {{0, 3}, {-2, 0}}));
    double[] values = SingularValues.of(new double[][] {{1, 2}, {3, 4}, {5, 6}});
    assertEquals(0.5143005806586441, values[0], 1e-14);
    assertEquals(9.525518091565104, values[1], 1e-14);
  }

  @Test
  void singularValuesComeIntoTheRangeOfTheOriginalCoefficients() {
    int[][] shapes = {{40, 60}, {60, 40}, {48, 48}, {1, 30}, {30, 1}, {5, 300}};
    for (int[] shape : shapes) {
      for (long seed = 1; seed <= 3; seed++) {
        float[] input = random(new Random(seed), shape[0] * shape[1]);
        double[] before = SingularValues.of(rows(input, shape[0], shape[1]));
        double norm = Math.sqrt(Arrays.stream(before).map(x -> x * x).sum());
        float[] output = orthogonalized(fastest(), ORIGINAL, 5, shape[0], shape[1], 1, input)[0];
        double[] after = SingularValues.of(rows(output, shape[0], shape[1]));
        String message = "seed " + seed + ", shape " + Arrays.toString(shape);
        for (int i = 0; i < after.length; i++) {
          assertTrue(after[i] < 1.21, () -> message + ": " + Arrays.toString(after));
          // Five steps raise such values to 0.68; their order may change in the iteration.
          if (before[0] / norm > 0.002) {
            assertTrue(after[i] > 0.67, () -> message + ": " + Arrays.toString(after));
          }
        }
      }
    }
  }

  @Test
  void resultsAreNearAnIterationInDouble() {
    List<NewtonSchulzCoefficients> sets =
        List.of(
            ORIGINAL,
            NewtonSchulzCoefficients.QUINTIC,
            NewtonSchulzCoefficients.POLAR_EXPRESS,
            NewtonSchulzCoefficients.POLAR_EXPRESS_SAFER);
    int[][] shapes = {{30, 50}, {50, 30}, {40, 40}, {1, 7}};
    for (NewtonSchulzCoefficients coefficients : sets) {
      for (int[] shape : shapes) {
        for (int steps : new int[] {1, 4, 5, 9}) {
          float[] input = random(new Random(7), shape[0] * shape[1]);
          double[][] expected =
              DoubleNewtonSchulz.orthogonalized(
                  rows(input, shape[0], shape[1]), coefficients, steps);
          float[] output =
              orthogonalized(fastest(), coefficients, steps, shape[0], shape[1], 1, input)[0];
          for (int i = 0; i < output.length; i++) {
            assertEquals(
                expected[i / shape[1]][i % shape[1]],
                output[i],
                2e-5,
                "element %s of %s, %s steps, %s"
                    .formatted(i, Arrays.toString(shape), steps, coefficients));
          }
        }
      }
    }
  }

  @Test
  void polarExpressConvergesToOne() {
    float[] input = random(new Random(3), 30 * 60);
    float[] output =
        orthogonalized(fastest(), NewtonSchulzCoefficients.POLAR_EXPRESS, 8, 30, 60, 1, input)[0];
    for (double each : SingularValues.of(rows(output, 30, 60))) {
      assertEquals(1, each, 1e-4);
    }
  }

  @Test
  void everyImplementationAndNumberOfThreadsHasTheSameBits() {
    int[][] shapes = {{1, 1}, {1, 40}, {40, 1}, {17, 33}, {33, 17}, {24, 24}, {140, 130}};
    for (int[] shape : shapes) {
      Random random = new Random(11);
      int size = shape[0] * shape[1];
      float[][] inputs = {random(random, size), random(random, size), random(random, size)};
      float[][] expected =
          orthogonalized(ScalarProducts.INSTANCE, ORIGINAL, 5, shape[0], shape[1], 1, inputs);
      for (Products products : EveryProducts.ALL) {
        for (int threads : new int[] {1, 2, 3}) {
          float[][] actual =
              orthogonalized(products, ORIGINAL, 5, shape[0], shape[1], threads, inputs);
          for (int i = 0; i < inputs.length; i++) {
            assertArrayEquals(
                bits(expected[i]),
                bits(actual[i]),
                "%s, %s threads, shape %s, seed 11, matrix %s"
                    .formatted(products.name(), threads, Arrays.toString(shape), i));
          }
        }
      }
      for (int i = 0; i < inputs.length; i++) {
        float[] alone = orthogonalized(fastest(), ORIGINAL, 5, shape[0], shape[1], 1, inputs[i])[0];
        assertArrayEquals(bits(expected[i]), bits(alone), "alone, " + Arrays.toString(shape));
      }
    }
  }

  @Test
  void zeroEmptyTinyHugeAndNonFiniteMatrices() {
    assertArrayEquals(
        new float[12], orthogonalized(fastest(), ORIGINAL, 5, 3, 4, 1, new float[12])[0]);
    assertEquals(0, orthogonalized(fastest(), ORIGINAL, 5, 0, 4, 1, new float[0])[0].length);
    assertEquals(0, orthogonalized(fastest(), ORIGINAL, 5, 4, 0, 1, new float[0])[0].length);
    assertEquals(0, orthogonalized(fastest(), ORIGINAL, 5, 4, 3, 1).length);

    float[] input = random(new Random(5), 12);
    float[] expected = orthogonalized(fastest(), ORIGINAL, 5, 3, 4, 1, input)[0];
    float[] huge = mapped(input, x -> Math.scalb(x, 120));
    float[] scaled = orthogonalized(fastest(), ORIGINAL, 5, 3, 4, 1, huge)[0];
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], scaled[i], 1e-6);
    }
    // The divisor is 1e-7, so the singular values stay small.
    float[] tiny = mapped(input, x -> Math.scalb(x, -60));
    for (float each : orthogonalized(fastest(), ORIGINAL, 5, 3, 4, 1, tiny)[0]) {
      assertTrue(Math.abs(each) < 1e-6, "" + each);
    }
    for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      float[] bad = input.clone();
      bad[5] = wrong;
      for (float each : orthogonalized(fastest(), ORIGINAL, 5, 3, 4, 1, bad)[0]) {
        assertEquals(0x7fc00000, Float.floatToRawIntBits(each));
      }
    }
  }

  private static float[] mapped(float[] values, UnaryOperator<Float> function) {
    float[] mapped = new float[values.length];
    for (int i = 0; i < mapped.length; i++) {
      mapped[i] = function.apply(values[i]);
    }
    return mapped;
  }

  @Test
  void theNormHasTheOrderOfTheNativeSums() {
    assertEquals(16, PanoptimAbi.PANOPTIM_LANES());
    for (int size : new int[] {1, 7, 8, 9, 15, 16, 17, 100, WorkSplit.CHUNK + 5}) {
      float[] values = random(new Random(size), size);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = arena.allocateFrom(JAVA_FLOAT, values);
        for (long chunk = 0; chunk < SumOfChunks.chunks(size); chunk++) {
          double[] sums = new double[16];
          int begin = (int) chunk * WorkSplit.CHUNK;
          for (int i = begin; i < Math.min(size, begin + WorkSplit.CHUNK); i++) {
            sums[(i - begin) % 16] += (double) values[i] * values[i];
          }
          for (int half = 8; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
              sums[i] += sums[i + half];
            }
          }
          assertEquals(sums[0], SumOfChunks.sum(memory, size, chunk), "size " + size);
        }
      }
    }
  }

  @Test
  void callsAllocateNothing() {
    for (Products products : EveryProducts.ALL) {
      try (Arena arena = Arena.ofShared()) {
        NewtonSchulz.Shape shape = new NewtonSchulz.Shape(1, 12, 8);
        MemorySegment input = arena.allocateFrom(JAVA_FLOAT, random(new Random(1), 96));
        MemorySegment output = arena.allocate(JAVA_FLOAT, 96);
        MemorySegment workspace =
            arena.allocate(NewtonSchulz.workspaceBytes(products, shape, 1), 64);
        NewtonSchulz iteration =
            new NewtonSchulz(
                products, ORIGINAL, shape, List.of(input), List.of(output), workspace, 1);
        int[] before = input.toArray(JAVA_INT);
        Allocations.assertNone(products.name(), 300, () -> iteration.orthogonalize(5, 1));
        assertArrayEquals(before, input.toArray(JAVA_INT));
      }
    }
  }

  @Test
  void wrongArgumentsAreRefused() {
    try (Arena arena = Arena.ofConfined()) {
      NewtonSchulz.Shape shape = new NewtonSchulz.Shape(1, 3, 4);
      List<MemorySegment> matrix = List.of(arena.allocate(JAVA_FLOAT, 12));
      long bytes = NewtonSchulz.workspaceBytes(fastest(), shape, 1);
      MemorySegment workspace = arena.allocate(bytes, 64);
      assertRefused("steps is 0", shape, 0, matrix, matrix, workspace);
      assertRefused("there are 0 inputs", shape, 5, List.of(), matrix, workspace);
      assertRefused("workspace is", shape, 5, matrix, matrix, workspace.asSlice(0, bytes - 1));
      assertRefused(
          "output is read-only",
          shape,
          5,
          matrix,
          List.of(matrix.getFirst().asReadOnly()),
          workspace);
      assertRefused(
          "at least 48 bytes",
          shape,
          5,
          List.of(matrix.getFirst().asSlice(0, 44)),
          matrix,
          workspace);
    }
    assertThrows(IllegalArgumentException.class, () -> new NewtonSchulz.Shape(-1, 2, 3));
    assertThrows(
        IllegalArgumentException.class, () -> new NewtonSchulz.Shape(1, 1L << 31, 1L << 31));
    assertThrows(
        IllegalArgumentException.class, () -> new NewtonSchulzCoefficients.Step(1, 1e39, 1));
    assertThrows(IllegalArgumentException.class, () -> new NewtonSchulzCoefficients(List.of()));
  }

  private static void assertRefused(
      String reason,
      NewtonSchulz.Shape shape,
      int steps,
      List<MemorySegment> inputs,
      List<MemorySegment> outputs,
      MemorySegment workspace) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    new NewtonSchulz(fastest(), ORIGINAL, shape, inputs, outputs, workspace, 1)
                        .orthogonalize(steps, 1))
            .getMessage();
    assertTrue(message.contains(reason), message);
  }
}
