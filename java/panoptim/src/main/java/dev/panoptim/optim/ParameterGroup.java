package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Parameters with the same rule and hyperparameters; the latter may change between steps.
///
/// Not thread-safe: hyperparameters are set by the thread that steps, between two steps or in a
/// hook. Other threads read them as part of [Optimizer#stateDict].
public final class ParameterGroup {
  private final List<Parameter> parameters;
  private final Hyperparameters values;

  ParameterGroup(List<Parameter> parameters, Hyperparameters values) {
    this.parameters = List.copyOf(parameters);
    this.values = values;
  }

  public List<Parameter> parameters() {
    return parameters;
  }

  /// The composition that updates the parameters. Groups of one optimizer may have different rules.
  public Rule rule() {
    return values.rule();
  }

  /// The hyperparameters of the group's rule.
  public Set<Hyperparameter> hyperparameters() {
    return values.names();
  }

  /// @throws IllegalArgumentException if the rule has none of that name
  public double get(Hyperparameter name) {
    return values.get(name);
  }

  /// Changes a hyperparameter from the next step on.
  ///
  /// @throws IllegalArgumentException if the rule has none of that name, or the value is out of its
  ///   range
  public void set(Hyperparameter name, double value) {
    values.set(name, value);
  }

  public double learningRate() {
    return get(Hyperparameter.LEARNING_RATE);
  }

  /// @throws IllegalArgumentException if the value is not a finite number of 0 or more
  public void setLearningRate(double value) {
    set(Hyperparameter.LEARNING_RATE, value);
  }

  /// A group of the same parameters, whose hyperparameters change independently.
  ParameterGroup copy() {
    return new ParameterGroup(parameters, values.with(Map.of()));
  }

  Hyperparameters values() {
    return values;
  }

  @Override
  public String toString() {
    return "ParameterGroup[" + parameters.size() + " parameters, " + values + "]";
  }
}
