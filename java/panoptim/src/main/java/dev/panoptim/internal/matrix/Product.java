package dev.panoptim.internal.matrix;

/// Products of fixed operands, prepared by [Products].
///
/// Not thread-safe: one call at a time. Calls allocate nothing.
public interface Product {
  /// Computes the output of each matrix by the law of [Products].
  ///
  /// @param alpha the factor of the product
  /// @param beta the factor of the added matrix; 0 if there is none
  /// @param threads the most threads that take part, including the calling one; small products take
  ///   fewer, and no call takes more than the product was prepared for
  /// @throws IllegalArgumentException if `beta` is not 0, but there are no added matrices
  /// @throws IllegalStateException if an operand's arena has been closed
  /// @throws WrongThreadException if an operand's arena is confined to another thread
  void multiply(float alpha, float beta, int threads);
}
