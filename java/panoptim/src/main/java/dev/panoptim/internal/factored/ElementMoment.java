package dev.panoptim.internal.factored;

import java.lang.foreign.MemorySegment;

/// The second moment of a vector in [Adafactor](https://arxiv.org/abs/1804.04235): one element of
/// the state V for each element.
///
/// With g the gradient times a scale, an update computes in float, with `take = float(1 - beta2)`
///
/// ```
/// PyTorch:       V = fma(take, g * g - V, V);          U = g / sqrt(max(V, eps^2))
/// Transformers:  V = fma(take, fma(g, g, eps) - V, V);  U = g / sqrt(V)
/// ```
///
/// All bits are the same on every engine and at any number of threads. A NaN is the canonical one.
///
/// Not thread-safe. Calls allocate nothing, except that the Vector API may allocate vectors that
/// HotSpot does not inline.
public final class ElementMoment {
  private final FactoredOperations operations;
  private final MomentForm form;
  private float addend;
  private float least;

  /// @param operations of the shape, usually [FactoredShape#vector]
  /// @param epsilon 0 or more
  /// @throws IllegalArgumentException if epsilon is out of its range
  public ElementMoment(FactoredOperations operations, MomentForm form, double epsilon) {
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
    addend = form == MomentForm.TRANSFORMERS ? (float) epsilon : 0;
    least = form == MomentForm.PYTORCH ? (float) (epsilon * epsilon) : 0;
    if (least == 0 && epsilon > 0 && form == MomentForm.PYTORCH) {
      // The square underflows. A gradient of 0 must not be divided by 0.
      least = Float.MIN_VALUE;
    }
  }

  /// Updates the state, and writes the direction U.
  ///
  /// @param scale of the gradient, which is not changed
  /// @param beta2 the decay of the state at this step, from 0 to 1
  /// @param gradient floats, off-heap
  /// @param state V: as the gradient; 0 before the first update
  /// @param output U: as the gradient, and may be the same memory. Operands do not overlap
  ///   otherwise
  /// @return the mean of U^2, in double; 0 without elements
  /// @throws IllegalArgumentException if a number is out of its range, or an operand has another
  ///   size, is misaligned, on the heap or read-only although it is written
  /// @throws IllegalStateException if an operand's arena has been closed
  /// @throws WrongThreadException if an operand's arena is confined to another thread
  public double update(
      float scale,
      double beta2,
      MemorySegment gradient,
      MemorySegment state,
      MemorySegment output) {
    MomentForm.requireBeta(beta2);
    double squares =
        operations.updateElements(
            scale, (float) (1 - beta2), addend, least, gradient, state, output);
    long elements = operations.shape().elements();
    return elements == 0 ? 0 : squares / elements;
  }
}
