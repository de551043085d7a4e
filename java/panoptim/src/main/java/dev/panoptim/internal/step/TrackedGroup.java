package dev.panoptim.internal.step;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.util.List;

/// A parameter group of an optimizer, with its rule.
///
/// Immutable, but for what it refers to.
public final class TrackedGroup {
  final TrackedParameter[] parameters;

  /// The names of [Rule#scalarNames()].
  final List<String> scalarNames;

  private final Hyperparameters values;

  /// @param values the group's hyperparameters, which may change between steps
  public TrackedGroup(List<Parameter> parameters, Hyperparameters values) {
    this.values = values;
    scalarNames = values.rule().scalarNames();
    this.parameters =
        parameters.stream()
            .map(each -> new TrackedParameter(each, this))
            .toArray(TrackedParameter[]::new);
  }

  public List<TrackedParameter> parameters() {
    return List.of(parameters);
  }

  public Hyperparameters values() {
    return values;
  }

  /// The composition that updates the group's parameters.
  public Rule rule() {
    return values.rule();
  }
}
