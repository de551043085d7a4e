package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;

/// Exponential decay, see [Schedules#exponential] (PyTorch: ExponentialLR).
record Exponential(double gamma) implements Schedule {
  Exponential {
    Require.notNegative(gamma, "gamma");
  }

  @Override
  public double at(long step, double initial) {
    return initial * CorrectlyRounded.pow(gamma, step);
  }

  @Override
  public double next(long step, double previous, double initial) {
    return step == 0 ? previous : previous * gamma;
  }

  @Override
  public String toString() {
    return "exponential(gamma=" + gamma + ")";
  }
}
