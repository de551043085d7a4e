package dev.panoptim.schedule;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.ParameterGroup;
import dev.panoptim.rule.Hyperparameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A schedule or plateau together with the hyperparameter and the groups that it drives.
///
/// Not thread-safe.
final class Drive {
  final Hyperparameter hyperparameter;
  final String description;
  final Target[] targets;

  /// `null` if a plateau drives the hyperparameter.
  final Schedule schedule;

  /// `null` if a schedule drives the hyperparameter.
  final Plateau plateau;

  /// The driven hyperparameter of one group.
  static final class Target {
    final ParameterGroup group;
    final Hyperparameter hyperparameter;
    final String description;
    double initial;

    /// The value to be set.
    double value;

    /// The value before the last change.
    double before;

    private Target(ParameterGroup group, Hyperparameter hyperparameter, String description) {
      this.group = group;
      this.hyperparameter = hyperparameter;
      this.description = description;
      initial = group.get(hyperparameter);
    }
  }

  /// @param schedule the schedule, or `null` if a plateau drives
  /// @param plateau the plateau, or `null` if a schedule drives
  /// @throws IllegalArgumentException if a group does not have the hyperparameter
  Drive(
      Hyperparameter hyperparameter,
      List<ParameterGroup> groups,
      Schedule schedule,
      ReduceOnPlateau plateau) {
    this.hyperparameter = hyperparameter;
    this.schedule = schedule;
    this.plateau = plateau == null ? null : new Plateau(plateau);
    description = plateau == null ? schedule.toString() : plateau.toString();
    targets =
        groups.stream()
            .map(each -> new Target(each, hyperparameter, description))
            .toArray(Target[]::new);
  }

  /// Computes the new values of the targets without setting them.
  ///
  /// @param reduce whether the plateau reduces the values
  void prepare(long position, boolean recurrent, boolean reduce) {
    for (Target each : targets) {
      if (plateau != null) {
        double present = each.group.get(hyperparameter);
        each.value = reduce ? plateau.reduced(present) : present;
      } else if (recurrent) {
        each.value = schedule.next(position, each.group.get(hyperparameter), each.initial);
      } else {
        each.value = schedule.at(position, each.initial);
      }
    }
  }

  SchedulerState.Drive state() {
    Map<String, Double> initial = new LinkedHashMap<>();
    for (Target each : targets) {
      for (Parameter parameter : each.group.parameters()) {
        initial.put(parameter.name(), each.initial);
      }
    }
    return new SchedulerState.Drive(
        hyperparameter,
        description,
        initial,
        plateau == null ? Map.of() : plateau.doubles(),
        plateau == null ? Map.of() : plateau.longs());
  }
}
