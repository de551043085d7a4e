package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.memory.Workspaces;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Prepared products on the Vector API.
///
/// A piece of work is a block of one result: up to [#BLOCK_ROWS] rows of a panel, which has as many
/// columns as two vectors hold. The thread copies these columns of the right operand to its part of
/// the workspace, in steps of [#DEPTH_STEP], and continues the chains of all tiles. A tile has
/// [#TILE_ROWS] rows, whose chains are in registers during a step, and in the workspace between
/// steps.
///
/// Not thread-safe.
final class VectorProduct extends SharedWork implements Product {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /// At most 256 bits: then eight accumulators are enough to hide the latency of a fused
  /// multiply-add.
  private static final VectorSpecies<Float> SPECIES =
      FloatVector.SPECIES_PREFERRED.vectorBitSize() > FloatVector.SPECIES_256.vectorBitSize()
          ? FloatVector.SPECIES_256
          : FloatVector.SPECIES_PREFERRED;

  private static final int VECTOR_BYTES = SPECIES.vectorByteSize();
  private static final int PANEL = 2 * SPECIES.length();
  private static final int TILE_ROWS = 4;

  /// A packed panel of this depth has 32 KiB: the size of a first-level cache.
  private static final int DEPTH_STEP = 512;

  /// A multiple of [#TILE_ROWS]. A panel is packed once for so many rows.
  private static final int BLOCK_ROWS = 256;

  private static final long PANEL_BYTES = (long) DEPTH_STEP * PANEL * Float.BYTES;

  /// The workspace of a thread: a packed panel, and the chains of a block.
  static final long BYTES_OF_THREAD =
      Workspaces.aligned(PANEL_BYTES + (long) BLOCK_ROWS * PANEL * Float.BYTES);

  /// From this number of fused multiply-adds on, which take about 100 us, sleeping helpers are
  /// woken.
  private static final double WAKE_FROM = 1 << 21;

  private final Operands operands;
  private final MemorySegment workspace;
  private final long panels;
  private final long blocks;
  private final boolean symmetric;
  private float alpha;
  private float beta;

  VectorProduct(Operands operands, MemorySegment workspace, int threads) {
    super(
        operands.count() * panels(operands) * blocks(operands),
        threads,
        operands.shape().multiplyAdds() >= WAKE_FROM,
        with(operands.memory(), workspace));
    this.operands = operands;
    this.workspace = workspace;
    panels = panels(operands);
    blocks = blocks(operands);
    symmetric = operands.symmetric();
  }

  private static List<MemorySegment> with(List<MemorySegment> operands, MemorySegment workspace) {
    List<MemorySegment> all = new ArrayList<>(operands);
    all.add(workspace);
    return all;
  }

  private static long panels(Operands operands) {
    return Math.ceilDiv(operands.columns(), (long) PANEL);
  }

  private static long blocks(Operands operands) {
    return Math.ceilDiv(operands.rows(), (long) BLOCK_ROWS);
  }

  @Override
  public void multiply(float alpha, float beta, int threads) {
    operands.requireFactor(beta);
    this.alpha = alpha;
    this.beta = beta;
    run(threads);
  }

  @Override
  void work(long piece, int thread) {
    int matrix = (int) (piece / (panels * blocks));
    long first = piece / panels % blocks * BLOCK_ROWS;
    long column = piece % panels * PANEL;
    int columns = (int) Math.min(PANEL, operands.columns() - column);
    long end = Math.min(first + BLOCK_ROWS, operands.rows());
    // Of a symmetric result, rows below the last column of the panel are mirrored.
    end = symmetric ? Math.min(end, column + columns) : end;
    long panel = thread * BYTES_OF_THREAD;
    long chains = panel + PANEL_BYTES;
    for (long at = 0; at < BLOCK_ROWS * (long) PANEL * Float.BYTES; at += Float.BYTES) {
      workspace.set(JAVA_FLOAT, chains + at, 0);
    }
    for (long k = 0; first < end && k < operands.depth(); k += DEPTH_STEP) {
      long depth = Math.min(DEPTH_STEP, operands.depth() - k);
      pack(matrix, column, columns, k, depth, panel);
      computeTiles(matrix, first, end, k, depth, panel, chains);
    }
    for (long row = first; row < end; row++) {
      finish(matrix, row, column, columns, chains + (row - first) * PANEL * Float.BYTES);
    }
  }

  private void computeTiles(
      int matrix, long first, long end, long k, long depth, long panel, long chains) {
    MemorySegment left = operands.left().memory().get(matrix);
    long stride = operands.left().stride() * Float.BYTES;
    long from = k * Float.BYTES;
    for (long row = first; row < end; row += TILE_ROWS) {
      // Rows beyond the last one are computed as copies of it, and not stored.
      long last = end - 1;
      computeTile(
          depth,
          left,
          from + row * stride,
          from + Math.min(row + 1, last) * stride,
          from + Math.min(row + 2, last) * stride,
          from + Math.min(row + 3, last) * stride,
          workspace,
          panel,
          chains + (row - first) * PANEL * Float.BYTES);
    }
  }

  private void pack(int matrix, long column, int columns, long k, long depth, long panel) {
    MemorySegment right = symmetric ? operands.left().memory().get(matrix) : right(matrix);
    long stride = symmetric ? operands.left().stride() : operands.right().stride();
    long perColumn = symmetric ? stride : 1;
    long perDepth = symmetric ? 1 : stride;
    long from = column * perColumn + k * perDepth;
    long to = panel / Float.BYTES;
    for (int j = 0; j < PANEL; j++) {
      for (long i = 0; i < depth; i++) {
        float value =
            j < columns ? right.getAtIndex(JAVA_FLOAT, from + j * perColumn + i * perDepth) : 0;
        workspace.setAtIndex(JAVA_FLOAT, to + i * PANEL + j, value);
      }
    }
  }

  private MemorySegment right(int matrix) {
    return operands.right().memory().get(matrix);
  }

  /// Continues the chains of a tile.
  ///
  /// @param a the place of the tile's first row in the left operand, in bytes; the other rows
  ///   follow
  /// @param panel the place of the packed panel in the workspace, in bytes
  /// @param tile the place of the chains in the workspace, in bytes
  private static void computeTile(
      long depth,
      MemorySegment left,
      long a,
      long b,
      long c,
      long d,
      MemorySegment workspace,
      long panel,
      long tile) {
    FloatVector a0 = load(workspace, tile);
    FloatVector a1 = load(workspace, tile + VECTOR_BYTES);
    FloatVector b0 = load(workspace, tile + 2 * VECTOR_BYTES);
    FloatVector b1 = load(workspace, tile + 3 * VECTOR_BYTES);
    FloatVector c0 = load(workspace, tile + 4 * VECTOR_BYTES);
    FloatVector c1 = load(workspace, tile + 5 * VECTOR_BYTES);
    FloatVector d0 = load(workspace, tile + 6 * VECTOR_BYTES);
    FloatVector d1 = load(workspace, tile + 7 * VECTOR_BYTES);
    for (long k = 0; k < depth; k++) {
      long at = panel + k * 2 * VECTOR_BYTES;
      FloatVector right0 = load(workspace, at);
      FloatVector right1 = load(workspace, at + VECTOR_BYTES);
      long of = k * Float.BYTES;
      FloatVector x = FloatVector.broadcast(SPECIES, left.get(JAVA_FLOAT, a + of));
      a0 = x.fma(right0, a0);
      a1 = x.fma(right1, a1);
      x = FloatVector.broadcast(SPECIES, left.get(JAVA_FLOAT, b + of));
      b0 = x.fma(right0, b0);
      b1 = x.fma(right1, b1);
      x = FloatVector.broadcast(SPECIES, left.get(JAVA_FLOAT, c + of));
      c0 = x.fma(right0, c0);
      c1 = x.fma(right1, c1);
      x = FloatVector.broadcast(SPECIES, left.get(JAVA_FLOAT, d + of));
      d0 = x.fma(right0, d0);
      d1 = x.fma(right1, d1);
    }
    a0.intoMemorySegment(workspace, tile, ORDER);
    a1.intoMemorySegment(workspace, tile + VECTOR_BYTES, ORDER);
    b0.intoMemorySegment(workspace, tile + 2 * VECTOR_BYTES, ORDER);
    b1.intoMemorySegment(workspace, tile + 3 * VECTOR_BYTES, ORDER);
    c0.intoMemorySegment(workspace, tile + 4 * VECTOR_BYTES, ORDER);
    c1.intoMemorySegment(workspace, tile + 5 * VECTOR_BYTES, ORDER);
    d0.intoMemorySegment(workspace, tile + 6 * VECTOR_BYTES, ORDER);
    d1.intoMemorySegment(workspace, tile + 7 * VECTOR_BYTES, ORDER);
  }

  private static FloatVector load(MemorySegment segment, long at) {
    return FloatVector.fromMemorySegment(SPECIES, segment, at, ORDER);
  }

  /// Writes one row of a tile to the result.
  private void finish(int matrix, long row, long column, int columns, long sums) {
    MemorySegment output = operands.output().memory().get(matrix);
    long stride = operands.output().stride();
    MemorySegment added = beta == 0 ? null : operands.added().memory().get(matrix);
    long addedRow = beta == 0 ? 0 : row * operands.added().stride();
    long begin = symmetric ? Math.max(column, row) : column;
    for (long j = begin; j < column + columns; j++) {
      float sum = workspace.get(JAVA_FLOAT, sums + (j - column) * Float.BYTES);
      float last = beta == 0 ? 0 : beta * added.getAtIndex(JAVA_FLOAT, addedRow + j);
      float element = Math.fma(alpha, sum, last);
      element = Float.isNaN(element) ? Float.NaN : element;
      output.setAtIndex(JAVA_FLOAT, row * stride + j, element);
      if (symmetric) {
        output.setAtIndex(JAVA_FLOAT, j * stride + row, element);
      }
    }
  }
}
