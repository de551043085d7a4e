package dev.panoptim.schedule;

/// A constant value, see [Schedules#constant].
record Constant() implements Schedule {
  @Override
  public double at(long step, double initial) {
    return initial;
  }

  @Override
  public double next(long step, double previous, double initial) {
    return previous;
  }

  @Override
  public String toString() {
    return "constant()";
  }
}
