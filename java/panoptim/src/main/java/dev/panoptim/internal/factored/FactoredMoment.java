package dev.panoptim.internal.factored;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;

/// The second moment of a matrix in [Adafactor](https://arxiv.org/abs/1804.04235), factored into
/// the means of rows R and of columns C.
///
/// With g the gradient times a scale, in float, an update computes
///
/// ```
/// R = R + (1 - beta2) * (mean of the row of g^2 - R);  C likewise by columns
/// PyTorch:       U = g * min(rowFactor * columnFactor, 1 / eps)
///                rowFactor = 1 / sqrt(R / max(mean R, eps)), columnFactor = 1 / sqrt(C)
/// Transformers:  g^2 + eps in place of g^2;  U = g * rowFactor * columnFactor
///                rowFactor = 1 / sqrt(R / mean R), columnFactor = 1 / sqrt(C)
/// ```
///
/// PyTorch's U is `g / sqrt(max(R * C / max(mean R, eps), eps^2))`. Means are computed in double,
/// and each state and each factor is rounded to float once. A NaN in a state is the canonical one.
/// The order of sums is fixed: see [FactoredOperations]; the mean of R adds from the top. So all
/// bits are the same on every engine and at any number of threads.
///
/// A NaN in the gradient makes its row and column of the states NaN, and with the mean of R all of
/// U. An infinity does so at the next update at the latest.
///
/// Not thread-safe. Calls allocate nothing, except that the Vector API may allocate vectors that
/// HotSpot does not inline.
public final class FactoredMoment {
  private final FactoredOperations operations;
  private final MomentForm form;
  private double epsilon;
  private float most;

  /// @param operations of the matrix's shape, which has columns
  /// @param epsilon 0 or more
  /// @throws IllegalArgumentException if the shape has no columns, or epsilon is out of its range
  public FactoredMoment(FactoredOperations operations, MomentForm form, double epsilon) {
    if (!operations.shape().hasColumns()) {
      throw new IllegalArgumentException(
          "operations is for %s, but must have columns".formatted(operations.shape()));
    }
    this.operations = operations;
    this.form = form;
    setEpsilon(epsilon);
  }

  /// Changes epsilon for the next updates.
  ///
  /// @param epsilon 0 or more
  /// @throws IllegalArgumentException if it is not
  public void setEpsilon(double epsilon) {
    MomentForm.requireEpsilon(epsilon);
    this.epsilon = epsilon;
    most = form == MomentForm.PYTORCH ? (float) (1 / epsilon) : Float.POSITIVE_INFINITY;
  }

  /// Updates the states, and writes the direction U. A matrix without elements changes nothing.
  ///
  /// @param scale of the gradient, which is not changed
  /// @param beta2 the decay of the states at this step, from 0 to 1. Adafactor's first is 0, so
  ///   that no bias needs a correction
  /// @param gradient `rows * columns` floats, off-heap
  /// @param rowMeans R: `rows` floats, off-heap; 0 before the first update
  /// @param columnMeans C: `columns` floats, off-heap; 0 before the first update
  /// @param output U: as the gradient, and may be the same memory. Operands do not overlap
  ///   otherwise
  /// @return the mean of U^2, in double; 0 without elements. Several matrices of one tensor are
  ///   combined by the caller
  /// @throws IllegalArgumentException if a number is out of its range, or an operand has another
  ///   size, is misaligned, on the heap or read-only although it is written
  /// @throws IllegalStateException if an operand's arena has been closed
  /// @throws WrongThreadException if an operand's arena is confined to another thread
  public double update(
      float scale,
      double beta2,
      MemorySegment gradient,
      MemorySegment rowMeans,
      MemorySegment columnMeans,
      MemorySegment output) {
    MomentForm.requireBeta(beta2);
    FactoredShape shape = operations.shape();
    TensorChecks.require("rowMeans", shape.rows(), rowMeans, true);
    TensorChecks.require("columnMeans", shape.columns(), columnMeans, true);
    TensorChecks.require("output", shape.elements(), output, true);
    double addend = form == MomentForm.TRANSFORMERS ? epsilon : 0;
    operations.sum(scale, addend, gradient);
    if (shape.elements() == 0) {
      return 0;
    }
    double mean = updateRows(1 - beta2, rowMeans) / shape.rows();
    if (form == MomentForm.PYTORCH) {
      mean = Math.max(mean, epsilon);
    }
    for (long row = 0; row < shape.rows(); row++) {
      double of = rowMeans.getAtIndex(JAVA_FLOAT, row);
      operations.setRowFactor(row, 1 / Math.sqrt(of / mean));
    }
    updateColumns(1 - beta2, columnMeans);
    return operations.scale(scale, most, gradient, output) / shape.elements();
  }

  /// Returns the sum of the new means.
  private double updateRows(double take, MemorySegment rowMeans) {
    FactoredShape shape = operations.shape();
    double sum = 0;
    for (long row = 0; row < shape.rows(); row++) {
      double fresh = operations.rowSum(row) / shape.columns();
      float updated = blended(rowMeans.getAtIndex(JAVA_FLOAT, row), fresh, take);
      rowMeans.setAtIndex(JAVA_FLOAT, row, updated);
      sum += updated;
    }
    return sum;
  }

  private void updateColumns(double take, MemorySegment columnMeans) {
    FactoredShape shape = operations.shape();
    for (long column = 0; column < shape.columns(); column++) {
      double fresh = operations.columnSum(column) / shape.rows();
      float updated = blended(columnMeans.getAtIndex(JAVA_FLOAT, column), fresh, take);
      columnMeans.setAtIndex(JAVA_FLOAT, column, updated);
      operations.setColumnFactor(column, 1 / Math.sqrt(updated));
    }
  }

  private static float blended(double old, double fresh, double take) {
    float updated = (float) (old + take * (fresh - old));
    return Float.isNaN(updated) ? Float.NaN : updated;
  }
}
