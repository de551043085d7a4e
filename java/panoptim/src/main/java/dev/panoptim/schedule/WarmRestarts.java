package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;

/// Cosine annealing with restarts, see [Schedules#warmRestarts] (PyTorch:
/// CosineAnnealingWarmRestarts).
record WarmRestarts(long t0, long tMult, double etaMin) implements Schedule {
  WarmRestarts {
    Require.atLeast(1, t0, "t0");
    Require.atLeast(1, tMult, "tMult");
    Require.notNegative(etaMin, "etaMin");
  }

  @Override
  public double at(long step, double initial) {
    long since = step;
    long cycle = t0;
    if (tMult == 1) {
      since %= t0;
    }
    while (since >= cycle) {
      since -= cycle;
      cycle = cycle > Long.MAX_VALUE / tMult ? Long.MAX_VALUE : cycle * tMult;
    }
    return etaMin + (initial - etaMin) * (1 + CorrectlyRounded.cos(Math.PI * since / cycle)) / 2;
  }

  @Override
  public String toString() {
    return "warmRestarts(t0=" + t0 + ", tMult=" + tMult + ", etaMin=" + etaMin + ")";
  }
}
