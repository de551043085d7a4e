package dev.panoptim.internal.step;

/// Powers of a base with growing exponents. The squares of the base are kept, so that a power takes
/// one multiplication for each bit of the exponent that is set.
///
/// Without them, each of 14 squarings near step 10,000 would wait for the one before, which takes
/// longer than a small update. The time of such a step: `-Pbench -Dbench.args="SmallStepBenchmark
/// -p backend=native"`.
///
/// Allocates nothing once it has been made. Not thread-safe.
final class Powers {
  /// `base^(2^i)`. Index 62 is the highest that an exponent needs.
  private final double[] squares = new double[Long.SIZE - 1];

  /// The number of squares that have been computed for the present base. 0 for a new base.
  private int known;

  private double base;

  /// `base^exponent`, by squaring; off by less than `exponent * 2^-52` of itself. Below `exp(-100)`
  /// it is 0: nothing here tells the difference, and denormal factors take longer than all the rest
  /// of a small step.
  ///
  /// Not by `StrictMath.pow`, which allocates, nor by `Math.pow`, which may differ from machine to
  /// machine.
  ///
  /// @param base from 0 to 1
  /// @param exponent below 0, which only a damaged step count can be, it counts as 0
  double power(double base, long exponent) {
    if (exponent <= 0) {
      return 1;
    }
    if (exponent * (1 - base) > 100) {
      return 0;
    }
    if (base != this.base) {
      this.base = base;
      known = 0;
    }
    int needed = Long.SIZE - Long.numberOfLeadingZeros(exponent);
    if (needed > known) {
      square(needed);
    }
    // From the lowest bit to the highest: another order would round to other bits.
    double result = 1;
    for (long left = exponent; left > 0; left &= left - 1) {
      result *= squares[Long.numberOfTrailingZeros(left)];
    }
    return result;
  }

  /// A power of a base that is 0 or more, by any exponent. The result is the same on every machine,
  /// and nothing is allocated.
  static double realPower(double base, double exponent) {
    if (exponent == 0 || base == 1) {
      return 1;
    }
    if (base == 0 || exponent == 1) {
      return base;
    }
    return exponent == 2 ? base * base : StrictMath.exp(exponent * StrictMath.log(base));
  }

  private void square(int needed) {
    double square = known == 0 ? base : squares[known - 1] * squares[known - 1];
    for (int i = known; i < needed; i++) {
      squares[i] = square;
      square *= square;
    }
    known = needed;
  }
}
