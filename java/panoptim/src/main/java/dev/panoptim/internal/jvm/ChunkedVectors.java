package dev.panoptim.internal.jvm;

import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.vector.VectorOperation;
import dev.panoptim.internal.vector.VectorOperations;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Operations on vectors in Java, chunk by chunk, by the calling thread and helpers.
///
/// Not thread-safe.
final class ChunkedVectors extends VectorOperations {
  private final VectorKernels kernels;
  private final SharedLoop loop = new SharedLoop();

  ChunkedVectors(VectorKernels kernels, long length, int threads) {
    super(length, threads);
    this.kernels = kernels;
  }

  @Override
  protected void run(
      VectorOperation operation,
      float factor,
      MemorySegment x,
      MemorySegment y,
      MemorySegment result) {
    loop.run(
        length,
        threads,
        (begin, end) -> {
          long first = Math.ceilDiv(begin, (long) WorkSplit.CHUNK) * WorkSplit.CHUNK;
          for (long start = first; start < end; start += WorkSplit.CHUNK) {
            int count = (int) Math.min(WorkSplit.CHUNK, length - start);
            switch (operation) {
              case DOT -> set(start, kernels.dot(x, y, start, count));
              case SUM_ABSOLUTE -> set(start, kernels.sumAbsolute(x, start, count));
              case LARGEST -> set(start, kernels.largest(x, start, count));
              case ADD -> kernels.add(factor, x, y, result, start, count);
              case SCALE -> kernels.scale(factor, x, result, start, count);
            }
          }
        });
  }

  private void set(long start, double sum) {
    sums().setAtIndex(ValueLayout.JAVA_DOUBLE, start / WorkSplit.CHUNK, sum);
  }
}
