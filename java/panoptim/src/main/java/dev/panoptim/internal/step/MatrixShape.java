package dev.panoptim.internal.step;

import dev.panoptim.memory.Parameter;
import java.util.List;

/// A parameter as a matrix: the first extent is the number of rows, the product of the others the
/// number of columns.
///
/// Immutable.
///
/// @param rows 0 or more
/// @param columns 0 or more
record MatrixShape(long rows, long columns) {
  /// Checks that all parameters of a group are matrices, if its rule is of matrices.
  ///
  /// @throws IllegalArgumentException if a parameter has less than two dimensions
  static void require(TrackedGroup group) {
    if (!group.rule().isOfMatrices()) {
      return;
    }
    for (TrackedParameter each : group.parameters) {
      List<Long> shape = each.parameter.shape();
      if (shape.size() < 2) {
        throw new IllegalArgumentException(
            "parameter '%s' has the shape %s, but orthogonalization %s needs two or more dimensions: give it to AdamW, in a separate group"
                .formatted(each.name(), shape, group.rule().orthogonalization()));
      }
    }
  }

  /// @param parameter of two or more dimensions
  static MatrixShape of(Parameter parameter) {
    List<Long> shape = parameter.shape();
    if (parameter.size() == 0) {
      // The product of the other extents may overflow.
      return new MatrixShape(shape.getFirst(), 0);
    }
    long columns = 1;
    for (long extent : shape.subList(1, shape.size())) {
      columns *= extent;
    }
    return new MatrixShape(shape.getFirst(), columns);
  }

  long elements() {
    return rows * columns;
  }
}
