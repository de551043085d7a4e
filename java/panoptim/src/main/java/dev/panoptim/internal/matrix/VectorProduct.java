package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Prepared products on the Vector API.
///
/// A piece of work is a panel: some columns of one result, as many as two vectors hold. The thread
/// copies these columns of the right operand to its part of the workspace, without gaps. Then it
/// computes tiles of [#TILE_ROWS] rows: the chains of a tile are in registers over the whole depth.
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

  /// From this number of fused multiply-adds on, which take about 100 us, sleeping helpers are
  /// woken.
  private static final double WAKE_FROM = 1 << 21;

  private final Operands operands;
  private final MemorySegment workspace;
  private final long bytesOfThread;
  private final long panels;
  private final boolean symmetric;
  private float alpha;
  private float beta;

  VectorProduct(Operands operands, MemorySegment workspace, int threads) {
    super(
        operands.count() * panels(operands),
        threads,
        operands.shape().multiplyAdds() >= WAKE_FROM,
        with(operands.memory(), workspace));
    this.operands = operands;
    this.workspace = workspace;
    bytesOfThread = bytesOfThread(operands.depth());
    panels = panels(operands);
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

  /// A packed panel, and a tile.
  static long bytesOfThread(long depth) {
    return Workspaces.aligned((depth + TILE_ROWS) * PANEL * Float.BYTES);
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
    int matrix = (int) (piece / panels);
    long column = piece % panels * PANEL;
    int columns = (int) Math.min(PANEL, operands.columns() - column);
    long panel = thread * bytesOfThread;
    long tile = panel + operands.depth() * PANEL * Float.BYTES;
    pack(matrix, column, columns, panel);
    MemorySegment left = operands.left().memory().get(matrix);
    long stride = operands.left().stride() * Float.BYTES;
    // Of a symmetric result, rows below the last column of the panel are mirrored.
    long rows = symmetric ? Math.min(operands.rows(), column + columns) : operands.rows();
    for (long row = 0; row < rows; row += TILE_ROWS) {
      // Rows beyond the last one are computed as copies of it, and not stored.
      long last = rows - 1;
      long a = row * stride;
      long b = Math.min(row + 1, last) * stride;
      long c = Math.min(row + 2, last) * stride;
      long d = Math.min(row + 3, last) * stride;
      computeTile(operands.depth(), left, a, b, c, d, workspace, panel, tile);
      for (int i = 0; i < TILE_ROWS && row + i < rows; i++) {
        finish(matrix, row + i, column, columns, tile + i * PANEL * (long) Float.BYTES);
      }
    }
  }

  private void pack(int matrix, long column, int columns, long panel) {
    MemorySegment right = symmetric ? operands.left().memory().get(matrix) : right(matrix);
    long stride = symmetric ? operands.left().stride() : operands.right().stride();
    long first = symmetric ? column * stride : column;
    long perColumn = symmetric ? stride : 1;
    long perDepth = symmetric ? 1 : stride;
    long to = panel / Float.BYTES;
    for (int j = 0; j < PANEL; j++) {
      for (long k = 0; k < operands.depth(); k++) {
        float value =
            j < columns ? right.getAtIndex(JAVA_FLOAT, first + j * perColumn + k * perDepth) : 0;
        workspace.setAtIndex(JAVA_FLOAT, to + k * PANEL + j, value);
      }
    }
  }

  private MemorySegment right(int matrix) {
    return operands.right().memory().get(matrix);
  }

  /// Computes the chains of a tile.
  ///
  /// @param a the place of the tile's first row in the left operand, in bytes; the other rows
  ///   follow
  /// @param panel the place of the packed panel in the workspace, in bytes
  /// @param tile the place of the results in the workspace, in bytes
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
    FloatVector a0 = FloatVector.zero(SPECIES);
    FloatVector a1 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector c0 = a0;
    FloatVector c1 = a0;
    FloatVector d0 = a0;
    FloatVector d1 = a0;
    for (long k = 0; k < depth; k++) {
      long at = panel + k * 2 * VECTOR_BYTES;
      FloatVector right0 = FloatVector.fromMemorySegment(SPECIES, workspace, at, ORDER);
      FloatVector right1 =
          FloatVector.fromMemorySegment(SPECIES, workspace, at + VECTOR_BYTES, ORDER);
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
