package dev.panoptim.schedule;

/// See [Schedules#inverseSquareRoot].
record InverseSquareRoot(long warmupSteps) implements Schedule {
  InverseSquareRoot {
    Require.atLeast(1, warmupSteps, "warmupSteps");
  }

  @Override
  public double at(long step, double initial) {
    double count = step + 1.0;
    return initial * (count < warmupSteps ? count / warmupSteps : Math.sqrt(warmupSteps / count));
  }

  @Override
  public String toString() {
    return "inverseSquareRoot(warmupSteps=" + warmupSteps + ")";
  }
}
