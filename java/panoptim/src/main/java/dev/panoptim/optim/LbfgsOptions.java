package dev.panoptim.optim;

/// The options of L-BFGS, checked; see [LbfgsBuilder].
///
/// Immutable.
record LbfgsOptions(
    double learningRate,
    int maxIterations,
    int maxEvaluations,
    double toleranceGrad,
    double toleranceChange,
    int historySize,
    boolean strongWolfe) {

  /// @return the value
  /// @throws IllegalArgumentException if it is not a finite number of 0 or more
  static double requireFinite(String name, double value) {
    if (!(value >= 0 && value <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException(
          "%s is %s, but must be a number from 0 to %s".formatted(name, value, Float.MAX_VALUE));
    }
    return value;
  }

  /// @return the value
  /// @throws IllegalArgumentException if it is below 1
  static int requirePositive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ", but must be 1 or more");
    }
    return value;
  }
}
