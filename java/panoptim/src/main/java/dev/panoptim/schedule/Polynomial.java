package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;

/// Polynomial decay to 0, see [Schedules#polynomial] (PyTorch: PolynomialLR).
record Polynomial(long totalIters, double power) implements Schedule {
  Polynomial {
    Require.atLeast(1, totalIters, "totalIters");
    Require.notNegative(power, "power");
  }

  @Override
  public double at(long step, double initial) {
    return initial
        * CorrectlyRounded.pow(1 - (double) Math.min(totalIters, step) / totalIters, power);
  }

  @Override
  public double next(long step, double previous, double initial) {
    if (step == 0 || step > totalIters) {
      return previous;
    }
    double left = 1 - (double) step / totalIters;
    double leftBefore = 1 - (double) (step - 1) / totalIters;
    return previous * CorrectlyRounded.pow(left / leftBefore, power);
  }

  @Override
  public String toString() {
    return "polynomial(totalIters=" + totalIters + ", power=" + power + ")";
  }
}
