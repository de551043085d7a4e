package dev.panoptim.schedule;

import dev.panoptim.rule.Hyperparameter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// All that a [Scheduler] needs to continue: plain data, keyed by the names of parameters, so that
/// other groups can take it over.
///
/// Immutable.
///
/// @param position how many steps the scheduler has made, 0 or more
/// @param recurrent whether values come by [Schedule#next]
/// @param drives what it drives
public record SchedulerState(long position, boolean recurrent, List<Drive> drives) {
  /// @throws IllegalArgumentException if the position is below 0
  public SchedulerState {
    Require.atLeast(0, position, "position");
    drives = List.copyOf(drives);
  }

  /// A hyperparameter and the schedule that drives it.
  ///
  /// Immutable.
  ///
  /// @param hyperparameter of every parameter in `initial`
  /// @param schedule the description of the schedule or [ReduceOnPlateau]: its `toString`
  /// @param initial what the hyperparameter was when the scheduler was built, by the name of the
  ///   parameter
  /// @param doubles the state of a [ReduceOnPlateau], by name; none of a schedule
  /// @param longs the state of a [ReduceOnPlateau], by name; none of a schedule
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

    /// A copy in the same order, so that what is written of it is the same each time.
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
