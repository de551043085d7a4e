package dev.panoptim.bench;

import java.util.random.RandomGenerator;

/// Random ranks from 1 on, of which rank k has a probability in proportion to 1 / k^exponent.
///
/// The method is rejection-inversion: Hörmann and Derflinger, "Rejection-Inversion to Generate
/// Variates from Monotone Discrete Distributions" (1996). It needs no table of the ranks.
final class Zipf {
  private final double power;
  private final double smallest;
  private final double largest;

  /// @param exponent above 0, not 1
  Zipf(long ranks, double exponent) {
    power = 1 - exponent;
    smallest = integral(1.5) - 1;
    largest = integral(ranks + 0.5);
  }

  /// The integral of x^-exponent, apart from a constant.
  private double integral(double x) {
    return Math.pow(x, power) / power;
  }

  long next(RandomGenerator random) {
    while (true) {
      double area = largest + random.nextDouble() * (smallest - largest);
      long rank = Math.max(1, Math.round(Math.pow(area * power, 1 / power)));
      if (area >= integral(rank + 0.5) - Math.pow(rank, power - 1)) {
        return rank;
      }
    }
  }
}
