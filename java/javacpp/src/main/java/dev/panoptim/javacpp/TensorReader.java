package dev.panoptim.javacpp;

/// Reads one tensor variable of libtorch: a parameter, or the place of its gradient. The variable
/// may be undefined, and may refer to another tensor at each call.
interface TensorReader {
  /// The address of the first element of a defined and dense tensor; 0 if it has no memory.
  long data();

  /// Finds out everything.
  void read(TensorFacts facts);

  /// Leaves the variable undefined.
  void reset();
}
