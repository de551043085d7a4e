package dev.panoptim.schedule;

import java.util.Objects;

/// Warm-up, constant phase and decay, see [Schedules#warmupStableDecay].
record WarmupStableDecay(
    long warmupSteps, long stableSteps, long decaySteps, DecayShape shape, double minimumFactor)
    implements Schedule {
  WarmupStableDecay {
    Require.atLeast(0, warmupSteps, "warmupSteps");
    Require.atLeast(0, stableSteps, "stableSteps");
    Require.atLeast(0, decaySteps, "decaySteps");
    Objects.requireNonNull(shape, "shape is null");
    Require.from0To1(minimumFactor, "minimumFactor");
  }

  @Override
  public double at(long step, double initial) {
    return initial * factor(step);
  }

  private double factor(long step) {
    if (step < warmupSteps) {
      return above((double) step / warmupSteps);
    }
    long sinceWarmup = step - warmupSteps;
    if (sinceWarmup < stableSteps) {
      return 1;
    }
    long sinceStable = sinceWarmup - stableSteps;
    return sinceStable < decaySteps
        ? above(shape.left((double) sinceStable / decaySteps))
        : minimumFactor;
  }

  private double above(double share) {
    return share * (1 - minimumFactor) + minimumFactor;
  }

  @Override
  public String toString() {
    return "warmupStableDecay(warmupSteps="
        + warmupSteps
        + ", stableSteps="
        + stableSteps
        + ", decaySteps="
        + decaySteps
        + ", shape="
        + shape.name()
        + ", minimumFactor="
        + minimumFactor
        + ")";
  }
}
