package dev.panoptim.schedule;

/// A constant factor until a step, see [Schedules#constantFactor] (PyTorch: ConstantLR).
record ConstantFactor(double factor, long totalIters) implements Schedule {
  ConstantFactor {
    Require.from0To1(factor, "factor");
    Require.atLeast(1, totalIters, "totalIters");
  }

  @Override
  public double at(long step, double initial) {
    return initial * (factor + (step >= totalIters ? 1 : 0) * (1 - factor));
  }

  @Override
  public double next(long step, double previous, double initial) {
    if (step == 0) {
      return previous * factor;
    }
    return step == totalIters ? previous * (1 / factor) : previous;
  }

  @Override
  public String toString() {
    return "constantFactor(factor=" + factor + ", totalIters=" + totalIters + ")";
  }
}
