package dev.panoptim.internal.factored;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;

/// Adaptive gradient clipping of [NFNets](https://arxiv.org/abs/2102.06171): limits the norm of
/// each row of a gradient to a part of the norm of the same row of the parameter.
///
/// A row of the gradient is multiplied by `min(1, clipping * max(norm of the parameter's row, eps)
/// / norm of the scaled gradient's row)`. A vector is one row. Norms and factors are computed in
/// double, and a factor is rounded to float once. A row whose gradient is 0 keeps its bits. A NaN
/// in a row of the parameter or of the gradient makes the gradient's row NaN. An infinity in a row
/// of the gradient becomes NaN, and the other elements of this row become 0. All bits are the same
/// on every engine and at any number of threads.
///
/// Not thread-safe. Calls allocate nothing, except that the Vector API may allocate vectors that
/// HotSpot does not inline.
public final class AdaptiveClipping {
  private final FactoredOperations operations;

  /// The largest allowed norm of each row, as doubles.
  private final MemorySegment limits;

  /// @param operations of the shape; columns are not needed
  /// @throws OutOfMemoryError if the table of limits, 8 bytes a row, would exceed the limit of
  ///   memory
  public AdaptiveClipping(FactoredOperations operations) {
    this.operations = operations;
    limits =
        new CollectedMemory(MemoryKind.TABLES)
            .allocate(JAVA_DOUBLE, Math.max(1, operations.shape().rows()));
  }

  /// Multiplies the gradient in place by the factors of its rows.
  ///
  /// @param clipping the largest norm of a gradient's row, as a part of the parameter's; above 0
  /// @param epsilon the least norm of a parameter's row, so that rows of 0 can change; 0 or more
  /// @param scale a factor of the gradient in its norms, but not in the result
  /// @param parameter floats, off-heap; not changed
  /// @param gradient as the parameter; they do not overlap
  /// @return the number of rows whose factor is not 1
  /// @throws IllegalArgumentException if an operand has another size, is misaligned, on the heap,
  ///   or the gradient is read-only
  /// @throws IllegalStateException if an operand's arena has been closed
  /// @throws WrongThreadException if an operand's arena is confined to another thread
  public long clip(
      double clipping,
      double epsilon,
      float scale,
      MemorySegment parameter,
      MemorySegment gradient) {
    FactoredShape shape = operations.shape();
    TensorChecks.require("gradient", shape.elements(), gradient, true);
    TensorChecks.require("parameter", shape.elements(), parameter, false);
    if (shape.elements() == 0) {
      return 0;
    }
    operations.sum(1, 0, parameter);
    for (long row = 0; row < shape.rows(); row++) {
      double limit = clipping * Math.max(Math.sqrt(operations.rowSum(row)), epsilon);
      limits.setAtIndex(JAVA_DOUBLE, row, limit);
    }
    operations.sum(scale, 0, gradient);
    long clipped = 0;
    for (long row = 0; row < shape.rows(); row++) {
      double factor = factor(limits.getAtIndex(JAVA_DOUBLE, row), operations.rowSum(row));
      operations.setRowFactor(row, factor);
      clipped += factor == 1 ? 0 : 1;
    }
    if (clipped > 0) {
      operations.scaleRows(1, gradient, gradient);
    }
    return clipped;
  }

  /// Of a row: NaN if either is NaN.
  private static double factor(double limit, double squares) {
    return squares == 0 && !Double.isNaN(limit) ? 1 : Math.min(1, limit / Math.sqrt(squares));
  }
}
