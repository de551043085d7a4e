package dev.panoptim.schedule;

import java.util.Objects;
import java.util.function.LongToDoubleFunction;

/// A product of factors, see [Schedules#multiplicative] (PyTorch: MultiplicativeLR).
record Multiplicative(String name, LongToDoubleFunction factor) implements Schedule {
  Multiplicative {
    Objects.requireNonNull(name, "name is null");
    Objects.requireNonNull(factor, "factor is null");
  }

  @Override
  public double at(long step, double initial) {
    double value = initial;
    for (long i = 1; i <= step; i++) {
      value *= factor.applyAsDouble(i);
    }
    return value;
  }

  @Override
  public double next(long step, double previous, double initial) {
    return step == 0 ? previous : previous * factor.applyAsDouble(step);
  }

  @Override
  public String toString() {
    return "multiplicative(" + name + ")";
  }
}
