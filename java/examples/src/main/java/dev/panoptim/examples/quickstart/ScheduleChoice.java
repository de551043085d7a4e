package dev.panoptim.examples.quickstart;

import dev.panoptim.schedule.Schedule;
import dev.panoptim.schedule.Schedules;
import java.util.List;

/// The chosen schedule of the learning rate.
///
/// @param warmup number of steps at the beginning in which the learning rate rises
record ScheduleChoice(Kind kind, int warmup) {
  enum Kind {
    /// No change.
    constant,
    /// Linear decay to 0.
    linear,
    /// Decay to 0 along half a cosine.
    cosine,
    /// Warm-up, stable, decay: constant for four fifths of the steps, then linear decay to 0.
    wsd
  }

  private static final int DECAY_SHARE = 5;

  /// @param steps number of steps of the whole training
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
