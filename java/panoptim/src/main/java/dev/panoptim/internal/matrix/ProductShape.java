package dev.panoptim.internal.matrix;

/// The sizes of [Product]s.
///
/// Immutable and thread-safe.
///
/// @param symmetric whether the right operand is the transposed left one; then `columns` is `rows`
/// @param count the number of products
/// @param rows of each left operand and output
/// @param columns of each right operand and output
/// @param depth the columns of each left operand
public record ProductShape(boolean symmetric, int count, long rows, long columns, long depth) {
  /// @throws IllegalArgumentException if a number is below 0, or a symmetric product is not square
  public ProductShape {
    if (count < 0 || rows < 0 || columns < 0 || depth < 0 || symmetric && rows != columns) {
      throw new IllegalArgumentException(
          "symmetric is %s, count %s, rows %s, columns %s and depth %s, but sizes must be 0 or more, and a symmetric product square"
              .formatted(symmetric, count, rows, columns, depth));
    }
  }

  /// The fused multiply-adds of all products, as a measure of time.
  public double multiplyAdds() {
    double all = (double) count * rows * columns * depth;
    return symmetric ? all / 2 : all;
  }
}
