package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Allocations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// All implementations of matrix products reach the bits of plain Java, which are those of the
/// chain.
class ProductsTest {
  @Test
  void plainJavaComputesTheChain() {
    Random random = new Random(1);
    try (Arena arena = Arena.ofConfined()) {
      Matrices left = matrix(arena, random, 3, 5);
      Matrices right = matrix(arena, random, 5, 2);
      Matrices added = matrix(arena, random, 3, 2);
      Matrices output = matrix(arena, random, 3, 2);
      ScalarProducts.INSTANCE
          .prepare(new Operands(left, right, added, output), arena.allocate(64, 64), 1)
          .multiply(0.5f, -3, 1);
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 2; j++) {
          float sum = 0;
          for (int k = 0; k < 5; k++) {
            sum = Math.fma(at(left, i, k), at(right, k, j), sum);
          }
          assertEquals(Math.fma(0.5f, sum, -3 * at(added, i, j)), at(output, i, j));
        }
      }
    }
  }

  private static Matrices matrix(Arena arena, Random random, int rows, int columns) {
    MemorySegment memory = arena.allocate(JAVA_FLOAT, (long) rows * columns);
    for (int i = 0; i < rows * columns; i++) {
      memory.setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    return Matrices.dense(List.of(memory), rows, columns);
  }

  private static float at(Matrices matrix, int i, int j) {
    return matrix.memory().getFirst().getAtIndex(JAVA_FLOAT, i * matrix.stride() + j);
  }

  @Test
  void everyImplementationHasTheBitsOfPlainJava() {
    assertTrue(EveryProducts.ALL.size() > 1, "only " + EveryProducts.ALL.getFirst().name());
    for (long seed = 1; seed <= 60; seed++) {
      assertSameBits(ProductCase.random(seed, 40), 1);
    }
    for (long seed = 100; seed < 104; seed++) {
      assertSameBits(ProductCase.random(seed, 150), 1);
    }
    // Across the blocks of all implementations.
    assertSameBits(new ProductCase(110, false, 1, 265, 20, 1030, 1, false, false), 1);
    assertSameBits(new ProductCase(111, true, 1, 265, 265, 515, 2, false, false), 1);
    assertSameBits(new ProductCase(112, false, 1, 14, 1050, 9, 3, true, false), 1);
  }

  @Test
  void everyNumberOfThreadsHasTheSameBits() {
    for (int threads : new int[] {2, 3, 16}) {
      assertSameBits(new ProductCase(1, false, 2, 210, 220, 230, 3, false, false), threads);
      assertSameBits(new ProductCase(2, true, 2, 300, 300, 200, 3, true, false), threads);
    }
  }

  private static void assertSameBits(ProductCase test, int threads) {
    float[][] factors = {{1, 0}, {-0.5f, 1.5f}};
    for (float[] factor : factors) {
      int[][] expected =
          test.outputBits(EveryProducts.ALL.getFirst(), factor[0], factor[1], threads);
      for (Products products : EveryProducts.ALL.subList(1, EveryProducts.ALL.size())) {
        int[][] actual = test.outputBits(products, factor[0], factor[1], threads);
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
          assertArrayEquals(
              expected[i],
              actual[i],
              "%s with %s threads, alpha %s, beta %s, matrix %s of %s"
                  .formatted(products.name(), threads, factor[0], factor[1], i, test));
        }
      }
    }
  }

  @Test
  void callsAllocateNothing() {
    ProductCase small = new ProductCase(3, false, 2, 9, 20, 11, 0, false, false);
    for (Products products : EveryProducts.ALL) {
      try (Arena arena = Arena.ofShared()) {
        Operands operands = small.operands(arena);
        long bytes = products.workspaceBytes(operands.shape(), 1);
        Product product = products.prepare(operands, arena.allocate(bytes, 64), 1);
        Allocations.assertNone(products.name(), 2000, () -> product.multiply(1, 0.5f, 1));
      }
    }
  }

  @Test
  void aClosedArenaIsRefused() {
    for (Products products : EveryProducts.ALL) {
      Product product;
      try (Arena arena = Arena.ofShared()) {
        Operands operands = new ProductCase(4, true, 1, 8, 8, 8, 0, false, false).operands(arena);
        long bytes = products.workspaceBytes(operands.shape(), 2);
        product = products.prepare(operands, arena.allocate(bytes, 64), 2);
      }
      assertThrows(IllegalStateException.class, () -> product.multiply(1, 0, 2), products.name());
    }
  }

  @Test
  void unfitWorkspacesAndThreadsAreRefused() {
    for (Products products : EveryProducts.ALL) {
      try (Arena arena = Arena.ofConfined()) {
        Operands operands = new ProductCase(5, false, 1, 8, 8, 8, 0, false, false).operands(arena);
        long bytes = products.workspaceBytes(operands.shape(), 2);
        MemorySegment enough = arena.allocate(bytes + 64, 64);
        if (bytes > 0) {
          assertRefused("workspace is", products, operands, enough.asSlice(0, bytes - 1), 2);
        }
        assertRefused("aligned to 64", products, operands, enough.asSlice(4), 2);
        assertRefused("read-only", products, operands, enough.asReadOnly(), 2);
        assertRefused("threads is 0", products, operands, enough, 0);
      }
    }
  }

  private static void assertRefused(
      String reason, Products products, Operands operands, MemorySegment workspace, int threads) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> products.prepare(operands, workspace, threads),
                products.name() + ": " + reason)
            .getMessage();
    assertTrue(message.contains(reason) || message.contains("workspace is"), message);
  }

  /// The linker keeps the arenas open, and a downcall has room for four.
  @Test
  void nativeProductsRefuseMoreThanFourArenas() {
    try (Arena arena = Arena.ofShared();
        Arena second = Arena.ofShared();
        Arena third = Arena.ofShared();
        Arena fourth = Arena.ofShared();
        Arena fifth = Arena.ofShared()) {
      Random random = new Random(1);
      Operands operands =
          new Operands(
              matrix(arena, random, 2, 2),
              matrix(second, random, 2, 2),
              matrix(third, random, 2, 2),
              matrix(fourth, random, 2, 2));
      for (Products products : EveryProducts.ALL) {
        long bytes = products.workspaceBytes(operands.shape(), 1);
        products.prepare(operands, fourth.allocate(bytes, 64), 1).multiply(1, 1, 1);
        if (products instanceof NativeProducts) {
          MemorySegment workspace = fifth.allocate(bytes, 64);
          assertThrows(
              IllegalArgumentException.class, () -> products.prepare(operands, workspace, 1));
        }
      }
    }
  }

  @Test
  void aFactorWithoutAddedMatricesIsRefused() {
    for (Products products : EveryProducts.ALL) {
      try (Arena arena = Arena.ofConfined()) {
        Operands full = new ProductCase(6, false, 1, 4, 4, 4, 0, false, false).operands(arena);
        Operands operands = new Operands(full.left(), full.right(), null, full.output());
        long bytes = products.workspaceBytes(operands.shape(), 1);
        Product product = products.prepare(operands, arena.allocate(bytes, 64), 1);
        product.multiply(1, 0, 1);
        assertThrows(IllegalArgumentException.class, () -> product.multiply(1, 1, 1));
      }
    }
  }
}
