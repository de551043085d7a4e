package dev.panoptim.internal.step;

import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The sum of the squares of the gradients of each chunk, off-heap. Adding these sums in the order
/// of the chunks gives the same bits on every engine and at any number of threads.
///
/// Threads may set the sums of different chunks at the same time. Not thread-safe otherwise.
public final class SquareSums {
  private final Rows rows;
  private final MemorySegment sums;

  SquareSums(Rows rows) {
    this.rows = rows;
    sums =
        new CollectedMemory(MemoryKind.TABLES)
            .allocate(ValueLayout.JAVA_DOUBLE, Math.max(1, rows.chunks()));
  }

  /// A double for each chunk of all rows.
  public MemorySegment memory() {
    return sums;
  }

  /// Keeps the sum of a chunk.
  ///
  /// @param start the chunk's first element in its row
  public void set(int row, long start, double sum) {
    long chunk = rows.firstChunk(row) + start / WorkSplit.CHUNK;
    sums.setAtIndex(ValueLayout.JAVA_DOUBLE, chunk, sum);
  }

  /// Adds the chunks' sums to a number, in their order.
  double addTo(double before) {
    double sum = before;
    for (long i = 0; i < rows.chunks(); i++) {
      sum += sums.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
    }
    return sum;
  }
}
