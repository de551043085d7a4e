package dev.panoptim.internal.jvm;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.factored.FactoredCall;
import dev.panoptim.internal.factored.FactoredOperation;
import dev.panoptim.internal.factored.FactoredOperations;
import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.MemorySegment;

/// Operations of factored second moments in Java, by the calling thread and helpers. The same parts
/// as `factored/factored.cpp` in C++.
///
/// Not thread-safe.
final class TiledFactored extends FactoredOperations {
  private static final int CHUNK = WorkSplit.CHUNK;

  private final FactoredKernels kernels;
  private final SharedLoop loop = new SharedLoop();

  /// Made once, so that no call allocates it.
  private final SharedLoop.Range range = this::work;

  private FactoredCall call;

  TiledFactored(
      FactoredKernels kernels, FactoredShape shape, MemorySegment workspace, int threads) {
    super(shape, workspace, threads);
    this.kernels = kernels;
  }

  @Override
  protected void run(FactoredCall operation, int most) {
    call = operation;
    loop.run(shape.elements(), most, range);
  }

  /// Sums: works on the tiles that start in `[begin, end)`. Others: on the chunks that do.
  private void work(long begin, long end) {
    if (call.operation == FactoredOperation.SUMS) {
      sumTiles(begin, end);
      return;
    }
    long first = Math.ceilDiv(begin, (long) CHUNK) * CHUNK;
    for (long start = first; start < end; start += CHUNK) {
      writeChunk(start, (int) Math.min(CHUNK, shape.elements() - start));
    }
  }

  /// A tile is one chunk of each row of a block. Its start is the number of elements of all tiles
  /// before it, when tiles are counted from left to right in each block, and blocks from the top.
  private void sumTiles(long begin, long end) {
    long ofBlock = FactoredShape.BLOCK * shape.columns();
    long chunks = shape.rowChunks();
    for (long block = begin / ofBlock; block * ofBlock < end; block++) {
      long rows = Math.min(FactoredShape.BLOCK, shape.rows() - block * FactoredShape.BLOCK);
      long before = Math.max(0, begin - block * ofBlock);
      for (long at = Math.ceilDiv(before, rows * CHUNK);
          at < chunks && block * ofBlock + at * rows * CHUNK < end;
          at++) {
        sumTile(block, rows, at);
      }
    }
  }

  private void sumTile(long block, long rows, long at) {
    long start = at * CHUNK;
    int length = (int) Math.min(CHUNK, shape.columns() - start);
    long column = block * shape.columns() + start;
    if (call.columns) {
      for (long i = column; i < column + length; i++) {
        columnSums().setAtIndex(JAVA_DOUBLE, i, 0);
      }
    }
    long first = block * FactoredShape.BLOCK;
    for (long row = first; row < first + rows; row++) {
      long element = row * shape.columns() + start;
      double sum =
          call.columns
              ? kernels.add(call, element, length, columnSums(), column)
              : kernels.sum(call, element, length);
      rowSums().setAtIndex(JAVA_DOUBLE, row * shape.rowChunks() + at, sum);
    }
  }

  private void writeChunk(long start, int length) {
    if (call.operation == FactoredOperation.VECTOR) {
      kernels.updateElements(call, start, length);
    } else {
      scaleRows(start, start + length);
    }
    if (call.squares) {
      squares().setAtIndex(JAVA_DOUBLE, start / CHUNK, kernels.squares(call, start, length));
    }
  }

  /// Elements `[start, end)` of the whole matrix.
  private void scaleRows(long start, long end) {
    long i = start;
    while (i < end) {
      long row = i / shape.columns();
      long column = i % shape.columns();
      int length = (int) Math.min(end - i, shape.columns() - column);
      float factor = rowFactors().getAtIndex(JAVA_FLOAT, row);
      if (call.columns) {
        kernels.scaleColumns(call, factor, i, length, columnFactors(), column);
      } else {
        kernels.scale(call, ScalarFactored.atMost(call.most, factor), i, length);
      }
      i += length;
    }
  }
}
