package dev.panoptim.bench;

/// Tensors of one size each.
///
/// @param count of tensors
/// @param elements of each
record TensorSizes(int count, int elements) {
  /// As in `5000x1000`: the count and the elements of each.
  static TensorSizes parse(String text) {
    String[] parts = text.split("x");
    return new TensorSizes(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
  }

  int total() {
    return Math.multiplyExact(count, elements);
  }
}
