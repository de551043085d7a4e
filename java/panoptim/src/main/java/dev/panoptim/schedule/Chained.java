package dev.panoptim.schedule;

import java.util.List;

/// Schedules applied to each other's results, see [Schedules#chained] (PyTorch: ChainedScheduler).
record Chained(List<Schedule> schedules) implements Schedule {
  Chained {
    schedules = List.copyOf(schedules);
    Require.atLeast(1, schedules.size(), "the number of schedules");
  }

  @Override
  public double at(long step, double initial) {
    double value = initial;
    for (int i = 0; i < schedules.size(); i++) {
      value = schedules.get(i).at(step, value);
    }
    return value;
  }

  @Override
  public double next(long step, double previous, double initial) {
    double value = previous;
    for (int i = 0; i < schedules.size(); i++) {
      value = schedules.get(i).next(step, value, initial);
    }
    return value;
  }

  @Override
  public String toString() {
    return "chained" + schedules;
  }
}
