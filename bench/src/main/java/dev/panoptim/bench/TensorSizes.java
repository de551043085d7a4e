package dev.panoptim.bench;

/// Tensors of the same size.
///
/// @param count number of tensors
/// @param elements of each tensor
record TensorSizes(int count, int elements) {
  /// Parses such as `5000x1000`: number of tensors x elements of each.
  static TensorSizes parse(String text) {
    String[] parts = text.split("x");
    return new TensorSizes(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
  }

  int total() {
    return Math.multiplyExact(count, elements);
  }
}
