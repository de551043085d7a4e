package dev.panoptim.schedule;

import dev.panoptim.rule.Hyperparameter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Everything that a [Scheduler] needs to continue. The data are keyed by parameter names, so that
/// a scheduler with other groups can load them.
///
/// Immutable.
///
/// @param position the number of steps that the scheduler has made, 0 or more
/// @param recurrent whether values are computed by [Schedule#next]
/// @param drives the driven hyperparameters
public record SchedulerState(long position, boolean recurrent, List<Drive> drives) {
  /// @throws IllegalArgumentException if the position is negative
  public SchedulerState {
    Require.atLeast(0, position, "position");
    drives = List.copyOf(drives);
  }

  /// A hyperparameter and the schedule that drives it.
  ///
  /// Immutable.
  ///
  /// @param hyperparameter the driven hyperparameter of every parameter in `initial`
  /// @param schedule the description (`toString`) of the schedule or [ReduceOnPlateau]
  /// @param initial the hyperparameter's value when the scheduler was built, by parameter name
  /// @param doubles the state of a [ReduceOnPlateau], by name; empty for a schedule
  /// @param longs the state of a [ReduceOnPlateau], by name; empty for a schedule
  public record Drive(
      Hyperparameter hyperparameter,
      String schedule,
      Map<String, Double> initial,
      Map<String, Double> doubles,
      Map<String, Long> longs) {
    public Drive {
      Objects.requireNonNull(hyperparameter, "hyperparameter is null");
      Objects.requireNonNull(schedule, "schedule is null");
      initial = ordered(initial);
      doubles = ordered(doubles);
      longs = ordered(longs);
    }

    /// Copies a map in its order, so that a written state is always the same.
    private static <V> Map<String, V> ordered(Map<String, V> map) {
      map.forEach(
          (name, value) -> {
            Objects.requireNonNull(name, "a name is null");
            Objects.requireNonNull(value, "a value is null");
          });
      return Collections.unmodifiableMap(new LinkedHashMap<>(map));
    }
  }
}
