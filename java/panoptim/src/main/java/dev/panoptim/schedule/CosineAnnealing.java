package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;

/// Cosine annealing, see [Schedules#cosineAnnealing] (PyTorch: CosineAnnealingLR).
record CosineAnnealing(long tMax, double etaMin) implements Schedule {
  CosineAnnealing {
    Require.atLeast(1, tMax, "tMax");
    Require.notNegative(etaMin, "etaMin");
  }

  @Override
  public double at(long step, double initial) {
    return etaMin + (initial - etaMin) * (1 + cosAt(step)) / 2;
  }

  @Override
  public double next(long step, double previous, double initial) {
    if (step == 0) {
      return previous;
    }
    // One step after the minimum, the ratio below would be 0 / 0.
    if ((step - 1) % (2 * tMax) == tMax) {
      return previous + (initial - etaMin) * (1 - CorrectlyRounded.cos(Math.PI / tMax)) / 2;
    }
    return (1 + cosAt(step)) / (1 + cosAt(step - 1)) * (previous - etaMin) + etaMin;
  }

  private double cosAt(long step) {
    return CorrectlyRounded.cos(Math.PI * step / tMax);
  }

  @Override
  public String toString() {
    return "cosineAnnealing(tMax=" + tMax + ", etaMin=" + etaMin + ")";
  }
}
