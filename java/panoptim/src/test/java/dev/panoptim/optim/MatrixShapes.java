package dev.panoptim.optim;

/// Shapes of matrices with a given number of elements, so that tests of all optimizers include
/// those of matrices. The shape makes no difference to the others.
final class MatrixShapes {
  private MatrixShapes() {}

  /// The shape that is nearest to a square, with no more rows than columns: 1 row if the size is a
  /// prime number or 0.
  static long[] wide(long size) {
    long rows = 1;
    for (long divisor = 2; divisor * divisor <= size; divisor++) {
      if (size % divisor == 0) {
        rows = divisor;
      }
    }
    return new long[] {rows, size / rows};
  }

  /// The transposed shape of [#wide].
  static long[] tall(long size) {
    long[] wide = wide(size);
    return new long[] {wide[1], wide[0]};
  }
}
