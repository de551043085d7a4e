package dev.panoptim.schedule;

/// A linear change, see [Schedules#linear] (PyTorch: LinearLR).
record Linear(double startFactor, double endFactor, long totalIters) implements Schedule {
  Linear {
    if (!(startFactor > 0 && startFactor <= 1)) {
      throw new IllegalArgumentException(
          "startFactor is " + startFactor + ", but must be above 0 and at most 1");
    }
    Require.from0To1(endFactor, "endFactor");
    Require.atLeast(1, totalIters, "totalIters");
  }

  @Override
  public double at(long step, double initial) {
    return initial
        * (startFactor + (endFactor - startFactor) * Math.min(totalIters, step) / totalIters);
  }

  @Override
  public double next(long step, double previous, double initial) {
    if (step == 0) {
      return previous * startFactor;
    }
    if (step > totalIters) {
      return previous;
    }
    double rise = endFactor - startFactor;
    return previous * (1 + rise / (totalIters * startFactor + (step - 1) * rise));
  }

  @Override
  public String toString() {
    return "linear(startFactor="
        + startFactor
        + ", endFactor="
        + endFactor
        + ", totalIters="
        + totalIters
        + ")";
  }
}
