package dev.panoptim.examples.quickstart;

import dev.panoptim.schedule.Schedule;
import dev.panoptim.schedule.Schedules;
import java.util.List;

/// How the learning rate goes over a training.
///
/// @param warmup steps at the beginning in which it rises
record ScheduleChoice(Kind kind, int warmup) {
  enum Kind {
    /// It stays.
    constant,
    /// Down to 0 by equal amounts.
    linear,
    /// Down to 0 along half a cosine.
    cosine,
    /// It stays for four fifths, then goes down to 0 by equal amounts.
    wsd
  }

  private static final int DECAY_SHARE = 5;

  /// @param steps of the whole training
  /// @throws IllegalArgumentException if the warm-up is negative or leaves no step
  Schedule over(int steps) {
    if (warmup < 0 || warmup >= steps) {
      throw new IllegalArgumentException(
          "--warmup is %s, but must be from 0 to %s, less than --steps"
              .formatted(warmup, steps - 1));
    }
    Schedule after = after(steps - warmup);
    return warmup == 0 ? after : Schedules.warmupThen(warmup, after);
  }

  private Schedule after(int steps) {
    return switch (kind) {
      case constant -> Schedules.constant();
      case linear -> Schedules.linear(1, 0, steps);
      case cosine -> Schedules.cosineAnnealing(steps, 0);
      case wsd -> {
        long decay = Math.max(1, steps / DECAY_SHARE);
        Schedule down = Schedules.linear(1, 0, decay);
        yield decay == steps
            ? down
            : Schedules.sequential(List.of(Schedules.constant(), down), List.of(steps - decay));
      }
    };
  }
}
