package dev.panoptim.internal.step;

import dev.panoptim.internal.factored.ElementMoment;
import dev.panoptim.internal.factored.FactoredMoment;
import dev.panoptim.internal.factored.FactoredOperations;
import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.factored.MomentForm;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Function;

/// The factored second moment of one parameter. With two or more dimensions, the last two are those
/// of a matrix, and the others count matrices that are factored each by itself. With less, there is
/// a second moment of each element.
///
/// Not thread-safe.
final class FactoredRow {
  /// Of each matrix; a single one if there are no matrices.
  private final MemorySegment[] directions;

  /// Of each matrix, or `null`.
  private final MemorySegment[] rowMeans;

  private final MemorySegment[] columnMeans;

  /// Of a parameter without matrices, or `null`.
  private final MemorySegment secondMoment;

  /// `null` for a parameter without matrices, as the next one for a parameter with some.
  private final FactoredMoment ofMatrices;

  private final ElementMoment ofElements;

  /// @param shape of the parameter
  /// @param direction of the parameter: the gradient, until [#direct] replaces it
  /// @param states named ones of the parameter
  /// @param operations makes those of a shape
  FactoredRow(
      List<Long> shape,
      MomentForm form,
      MemorySegment direction,
      States states,
      Function<FactoredShape, FactoredOperations> operations) {
    FactoredShape factored = shape(shape);
    if (factored.hasColumns()) {
      // Each step sets the epsilon.
      ofMatrices = new FactoredMoment(operations.apply(factored), form, 0);
      ofElements = null;
      int matrices = Math.toIntExact(direction.byteSize() / (factored.elements() * Float.BYTES));
      directions = divided(direction, matrices);
      rowMeans = divided(states.rowMeans, matrices);
      columnMeans = divided(states.columnMeans, matrices);
      secondMoment = null;
    } else {
      ofMatrices = null;
      ofElements = new ElementMoment(operations.apply(factored), form, 0);
      directions = new MemorySegment[] {direction};
      rowMeans = null;
      columnMeans = null;
      secondMoment = states.secondMoment;
    }
  }

  /// The shape of each matrix, or of the one vector. A parameter without elements is a vector.
  ///
  /// @param shape of the parameter
  static FactoredShape shape(List<Long> shape) {
    int dimensions = shape.size();
    if (shape.contains(0L)) {
      return FactoredShape.vector(0);
    }
    return dimensions < 2
        ? FactoredShape.vector(dimensions == 0 ? 1 : shape.getFirst())
        : new FactoredShape(shape.get(dimensions - 2), shape.get(dimensions - 1), true);
  }

  private static MemorySegment[] divided(MemorySegment whole, int parts) {
    MemorySegment[] divided = new MemorySegment[parts];
    for (int i = 0; i < parts; i++) {
      long bytes = whole.byteSize() / parts;
      divided[i] = whole.asSlice(i * bytes, bytes);
    }
    return divided;
  }

  /// Updates the states with the gradient, and replaces it by the direction.
  ///
  /// @param beta2 the decay of the states at this step
  /// @param epsilon of the rule
  /// @return the mean of the direction's squares; 0 without elements
  double direct(double beta2, double epsilon) {
    if (ofElements != null) {
      ofElements.setEpsilon(epsilon);
      return ofElements.update(1, beta2, directions[0], secondMoment, directions[0]);
    }
    ofMatrices.setEpsilon(epsilon);
    double sum = 0;
    for (int i = 0; i < directions.length; i++) {
      sum += ofMatrices.update(1, beta2, directions[i], rowMeans[i], columnMeans[i], directions[i]);
    }
    return sum / directions.length;
  }
}
