package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import java.util.Objects;

/// The options of an optimizer with a custom composition.
///
/// Not thread-safe.
public final class RuleOptimizerBuilder extends OptimizerBuilder<RuleOptimizerBuilder> {
  private final Rule rule;

  /// Learning rate 1e-3, momentum and beta1 0.9, beta2 0.999, epsilon 1e-8, momentum decay 4e-3,
  /// all else 0. Hyperparameters that the rule does not have are ignored.
  RuleOptimizerBuilder(Rule rule, Iterable<Parameter> parameters) {
    super(parameters);
    this.rule = Objects.requireNonNull(rule, "rule is null");
    for (Hyperparameter each : Hyperparameter.values()) {
      set(each, 0);
    }
    learningRate(1e-3);
    set(Hyperparameter.MOMENTUM, 0.9);
    set(Hyperparameter.BETA1, 0.9);
    set(Hyperparameter.BETA2, 0.999);
    set(Hyperparameter.EPSILON, 1e-8);
    set(Hyperparameter.MOMENTUM_DECAY, 4e-3);
  }

  /// @throws IllegalArgumentException if the rule has no such hyperparameter, or the value is out
  ///   of its range
  public RuleOptimizerBuilder with(Hyperparameter name, double value) {
    if (!rule.hyperparameters().contains(name)) {
      throw new IllegalArgumentException(
          "%s is not a hyperparameter of this rule, which has %s"
              .formatted(name, rule.hyperparameters()));
    }
    return set(name, value);
  }

  @Override
  Rule composition() {
    return rule;
  }
}
