package dev.panoptim.schedule;

/// Checks arguments. Each method returns the value, or throws an [IllegalArgumentException] with
/// the value, the parameter and its bounds.
///
/// Thread-safe.
final class Require {
  private Require() {}

  static long atLeast(long bound, long value, String name) {
    if (value < bound) {
      throw new IllegalArgumentException(
          name + " is " + value + ", but must be " + bound + " or more");
    }
    return value;
  }

  /// Requires a finite number of 0 or more.
  static double notNegative(double value, String name) {
    if (!(value >= 0 && value <= Double.MAX_VALUE)) {
      throw new IllegalArgumentException(
          name + " is " + value + ", but must be a finite number of 0 or more");
    }
    return value;
  }

  /// Requires a finite number above 0.
  static double positive(double value, String name) {
    if (!(value > 0 && value <= Double.MAX_VALUE)) {
      throw new IllegalArgumentException(
          name + " is " + value + ", but must be a finite number above 0");
    }
    return value;
  }

  static double from0To1(double value, String name) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(name + " is " + value + ", but must be from 0 to 1");
    }
    return value;
  }
}
