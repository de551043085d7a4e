package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;

/// A factor at regular steps, see [Schedules#step] (PyTorch: StepLR).
record StepDecay(long stepSize, double gamma) implements Schedule {
  StepDecay {
    Require.atLeast(1, stepSize, "stepSize");
    Require.notNegative(gamma, "gamma");
  }

  @Override
  public double at(long step, double initial) {
    return initial * CorrectlyRounded.pow(gamma, step / stepSize);
  }

  @Override
  public double next(long step, double previous, double initial) {
    return step == 0 || step % stepSize != 0 ? previous : previous * gamma;
  }

  @Override
  public String toString() {
    return "step(stepSize=" + stepSize + ", gamma=" + gamma + ")";
  }
}
