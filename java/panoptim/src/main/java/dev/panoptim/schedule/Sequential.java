package dev.panoptim.schedule;

import java.util.List;

/// Schedules one after the other, see [Schedules#sequential] (PyTorch: SequentialLR).
record Sequential(List<Schedule> schedules, List<Long> milestones) implements Schedule {
  Sequential {
    schedules = List.copyOf(schedules);
    milestones = List.copyOf(milestones);
    Require.atLeast(1, schedules.size(), "the number of schedules");
    if (milestones.size() != schedules.size() - 1) {
      throw new IllegalArgumentException(
          "the number of milestones is "
              + milestones.size()
              + ", but must be "
              + (schedules.size() - 1)
              + ", one fewer than the schedules");
    }
    long bound = 1;
    for (long each : milestones) {
      bound = Require.atLeast(bound, each, "a milestone") + 1;
    }
  }

  @Override
  public double at(long step, double initial) {
    int current = begunAt(step);
    return schedules.get(current).at(step - start(current), initial);
  }

  @Override
  public double next(long step, double previous, double initial) {
    int current = begunAt(step);
    long since = step - start(current);
    Schedule schedule = schedules.get(current);
    // The next schedule starts from its own first value, not from the last value of the previous
    // one.
    return since == 0 && step > 0
        ? schedule.at(0, initial)
        : schedule.next(since, previous, initial);
  }

  /// The index of the schedule that is active at a step.
  private int begunAt(long step) {
    int current = 0;
    while (current < milestones.size() && milestones.get(current) <= step) {
      current++;
    }
    return current;
  }

  private long start(int schedule) {
    return schedule == 0 ? 0 : milestones.get(schedule - 1);
  }

  @Override
  public String toString() {
    return "sequential(" + schedules + ", milestones=" + milestones + ")";
  }
}
