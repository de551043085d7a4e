package dev.panoptim.optim;

import dev.panoptim.internal.tensor.Shapes;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/// A snapshot of [Lbfgs]: with it and the parameters' data, an optimization continues with the same
/// bits.
///
/// Its vectors hold the elements of all parameters, in the order of `parameters`, as float32.
///
/// Immutable and thread-safe, if its segments are.
///
/// @param parameters names and shapes, in the optimizer's order
/// @param learningRate see [LbfgsBuilder#learningRate]
/// @param iterations the iterations of all steps
/// @param evaluations the calls of the closure in all steps
/// @param stepLength how far the last iteration went, in lengths of the direction; 0 if it moved
///   nothing
/// @param scale of the first inverse Hessian, above 0
/// @param direction of the last iteration, a vector
/// @param previousGradient at the start of the last iteration, a vector
/// @param pairs the history, the oldest pair first
public record LbfgsState(
    List<ParameterShape> parameters,
    double learningRate,
    long iterations,
    long evaluations,
    double stepLength,
    double scale,
    MemorySegment direction,
    MemorySegment previousGradient,
    List<HistoryPair> pairs) {
  /// @throws IllegalArgumentException if a number is out of range
  public LbfgsState {
    parameters = List.copyOf(parameters);
    pairs = List.copyOf(pairs);
    Objects.requireNonNull(direction, "direction is null");
    Objects.requireNonNull(previousGradient, "previousGradient is null");
    LbfgsOptions.requireFinite("learningRate", learningRate);
    LbfgsOptions.requireFinite("stepLength", stepLength);
    requirePositive("scale", scale);
    if (iterations < 0 || evaluations < 0) {
      throw new IllegalArgumentException(
          "iterations is %s and evaluations is %s, but both must be 0 or more"
              .formatted(iterations, evaluations));
    }
  }

  /// The name and the shape of a parameter.
  ///
  /// @param shape the extent of each dimension
  public record ParameterShape(String name, List<Long> shape) {
    /// @throws IllegalArgumentException if an extent is negative, or their product is larger than
    ///   2^63-1
    public ParameterShape {
      Objects.requireNonNull(name, "name is null");
      shape = List.copyOf(shape);
      Shapes.size(name, shape);
    }

    /// The number of elements.
    public long size() {
      return Shapes.size(name, shape);
    }
  }

  /// A pair of the history.
  ///
  /// @param step of the parameters, a vector
  /// @param change of the gradient over that step, a vector
  /// @param inverse 1 divided by the dot product of the two, above 0
  public record HistoryPair(MemorySegment step, MemorySegment change, double inverse) {
    /// @throws IllegalArgumentException if `inverse` is out of range
    public HistoryPair {
      Objects.requireNonNull(step, "step is null");
      Objects.requireNonNull(change, "change is null");
      requirePositive("inverse", inverse);
    }
  }

  private static void requirePositive(String name, double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "%s is %s, but must be a finite number above 0".formatted(name, value));
    }
  }
}
