package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.panoptim.internal.memory.Workspaces;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Random operands for tests.
///
/// @param seed of the elements
/// @param padding elements between the rows of each matrix
/// @param specials whether a few elements are infinite, NaN, denormal or huge
record ProductCase(
    long seed,
    boolean symmetric,
    int count,
    int rows,
    int columns,
    int depth,
    int padding,
    boolean inPlace,
    boolean specials) {
  private static final float[] SPECIALS = {
    Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN, 1e-45f, -1e-40f, 1e38f, -0f
  };

  static ProductCase random(long seed, int largest) {
    Random random = new Random(seed);
    boolean symmetric = random.nextBoolean();
    int rows = random.nextInt(largest);
    return new ProductCase(
        seed,
        symmetric,
        random.nextInt(4),
        rows,
        symmetric ? rows : random.nextInt(largest),
        random.nextInt(3 * largest),
        random.nextInt(5),
        random.nextBoolean(),
        random.nextInt(4) == 0);
  }

  Operands operands(Arena arena) {
    Random random = new Random(seed);
    Matrices left = matrices(arena, random, rows, depth);
    Matrices right = symmetric ? null : matrices(arena, random, depth, columns);
    Matrices added = matrices(arena, random, rows, columns);
    if (symmetric) {
      added.memory().forEach(each -> mirror(each, added.stride()));
    }
    Matrices output = inPlace ? added : matrices(arena, random, rows, columns);
    return new Operands(left, right, added, output);
  }

  private Matrices matrices(Arena arena, Random random, int height, int width) {
    List<MemorySegment> memory = new ArrayList<>();
    long stride = width + padding;
    long floats = height == 0 || width == 0 ? 0 : (height - 1) * stride + width;
    for (int i = 0; i < count; i++) {
      MemorySegment matrix = arena.allocate(JAVA_FLOAT, floats);
      for (long j = 0; j < floats; j++) {
        matrix.setAtIndex(JAVA_FLOAT, j, (float) random.nextGaussian());
      }
      for (int j = 0; specials && floats > 0 && j < 3; j++) {
        matrix.setAtIndex(
            JAVA_FLOAT, random.nextLong(floats), SPECIALS[random.nextInt(SPECIALS.length)]);
      }
      memory.add(matrix);
    }
    return new Matrices(memory, height, width, stride);
  }

  private void mirror(MemorySegment matrix, long stride) {
    for (long i = 0; i < rows; i++) {
      for (long j = 0; j < i; j++) {
        matrix.setAtIndex(
            JAVA_FLOAT, i * stride + j, matrix.getAtIndex(JAVA_FLOAT, j * stride + i));
      }
    }
  }

  /// The bits of all outputs after one product, padding included.
  int[][] outputBits(Products products, float alpha, float beta, int threads) {
    try (Arena arena = Arena.ofShared()) {
      Operands operands = operands(arena);
      MemorySegment workspace =
          arena.allocate(products.workspaceBytes(operands.shape(), threads), Workspaces.ALIGNMENT);
      products.prepare(operands, workspace, threads).multiply(alpha, beta, threads);
      return operands.output().memory().stream()
          .map(each -> each.toArray(JAVA_INT))
          .toArray(int[][]::new);
    }
  }
}
