package dev.panoptim.internal.vector;

import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Operations on vectors of one length: floats that follow one another off-heap.
///
/// The bits depend neither on the engine nor on the number of threads. Sums are computed in double:
/// element i of a chunk of [WorkSplit#CHUNK] elements is added to sum i modulo 16, these sums are
/// added in halves, and then the sums of the chunks are added in order. A computed NaN is always
/// the canonical one.
///
/// The caller keeps the memory of the vectors open during an operation: native code uses bare
/// addresses. Not thread-safe.
public abstract class VectorOperations {
  protected final long length;

  /// The most threads of an operation, including the calling one.
  protected final int threads;

  /// A result for each chunk.
  private final MemorySegment sums;

  private final long chunks;

  /// @param length the elements of each vector, 0 or more
  /// @param threads from 1 on
  protected VectorOperations(long length, int threads) {
    this.length = length;
    this.threads = threads;
    chunks = Math.ceilDiv(length, (long) WorkSplit.CHUNK);
    sums =
        new CollectedMemory(MemoryKind.TABLES)
            .allocate(ValueLayout.JAVA_DOUBLE, Math.max(1, chunks));
  }

  /// Runs an operation over all chunks; returns when every thread is done. Operands that the
  /// operation does not use are `null`.
  protected abstract void run(
      VectorOperation operation,
      float factor,
      MemorySegment x,
      MemorySegment y,
      MemorySegment result);

  /// The memory of the chunks' results, as doubles.
  protected final MemorySegment sums() {
    return sums;
  }

  /// The dot product. Products of two floats are exact, so only sums are rounded.
  public final double dot(MemorySegment x, MemorySegment y) {
    require("x", x);
    require("y", y);
    run(VectorOperation.DOT, 0, x, y, null);
    return sum();
  }

  /// The sum of the absolute values.
  public final double sumAbsolute(MemorySegment x) {
    require("x", x);
    run(VectorOperation.SUM_ABSOLUTE, 0, x, null, null);
    return sum();
  }

  /// The largest absolute value; 0 for an empty vector, NaN if any element is NaN.
  public final double largest(MemorySegment x) {
    require("x", x);
    run(VectorOperation.LARGEST, 0, x, null, null);
    double largest = 0;
    for (long i = 0; i < chunks; i++) {
      largest = Math.max(largest, sums.getAtIndex(ValueLayout.JAVA_DOUBLE, i));
    }
    return largest;
  }

  /// Sets `result = fma(factor, x, y)`, one rounding for each element.
  ///
  /// @param result may be `x` or `y`, and must not overlap them otherwise
  public final void add(float factor, MemorySegment x, MemorySegment y, MemorySegment result) {
    require("x", x);
    require("y", y);
    require("result", result);
    run(VectorOperation.ADD, factor, x, y, result);
  }

  /// Sets `result = factor * x`.
  ///
  /// @param result may be `x`, and must not overlap it otherwise
  public final void scale(float factor, MemorySegment x, MemorySegment result) {
    require("x", x);
    require("result", result);
    run(VectorOperation.SCALE, factor, x, null, result);
  }

  private void require(String name, MemorySegment vector) {
    TensorChecks.require(name, length, vector, false);
  }

  private double sum() {
    double sum = 0;
    for (long i = 0; i < chunks; i++) {
      sum += sums.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
    }
    return Double.isNaN(sum) ? Double.NaN : sum;
  }
}
