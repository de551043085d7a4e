package dev.panoptim.schedule;

import java.util.Objects;
import java.util.function.LongToDoubleFunction;

/// A user function of the step, see [Schedules#lambda] (PyTorch: LambdaLR).
record Lambda(String name, LongToDoubleFunction factor) implements Schedule {
  Lambda {
    Objects.requireNonNull(name, "name is null");
    Objects.requireNonNull(factor, "factor is null");
  }

  @Override
  public double at(long step, double initial) {
    return initial * factor.applyAsDouble(step);
  }

  @Override
  public String toString() {
    return "lambda(" + name + ")";
  }
}
