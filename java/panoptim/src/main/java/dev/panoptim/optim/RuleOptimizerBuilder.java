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

  /// Learning rate 1e-3, momentum and beta1 0.9, beta2 0.999, epsilon 1e-8, and the defaults of the
  /// preset for a hyperparameter that only one has; all else 0. Hyperparameters that the rule does
  /// not have are ignored.
  RuleOptimizerBuilder(Rule rule, Iterable<Parameter> parameters) {
    super(parameters);
    this.rule = Objects.requireNonNull(rule, "rule is null");
    for (Hyperparameter each : Hyperparameter.values()) {
      set(each, each.lowest());
    }
    learningRate(1e-3);
    set(Hyperparameter.MOMENTUM, 0.9);
    set(Hyperparameter.BETA1, 0.9);
    set(Hyperparameter.BETA2, 0.999);
    set(Hyperparameter.EPSILON, 1e-8);
    set(Hyperparameter.BETA3, 0.9999);
    set(Hyperparameter.MOMENTUM_DECAY, 4e-3);
    set(Hyperparameter.NU1, 0.7);
    set(Hyperparameter.NU2, 1);
    set(Hyperparameter.CLIP_POWER, 0.25);
    set(Hyperparameter.ALPHA, 2);
    set(Hyperparameter.GAMMA, 0.025);
    set(Hyperparameter.RHO, 0.04);
    set(Hyperparameter.BATCH_SIZE, 1);
    set(Hyperparameter.LAMBD, 1e-4);
    set(Hyperparameter.POWER, 0.75);
    set(Hyperparameter.AVERAGING_START, 1e6);
    set(Hyperparameter.ETA_MINUS, 0.5);
    set(Hyperparameter.ETA_PLUS, 1.2);
    set(Hyperparameter.SMALLEST_STEP, 1e-6);
    set(Hyperparameter.LARGEST_STEP, 50);
    set(Hyperparameter.LEARNING_RATE_POWER, 2);
    set(Hyperparameter.LARGEST_TRUST_RATIO, Float.MAX_VALUE);
    set(Hyperparameter.ITERATIONS, 5);
    set(Hyperparameter.TRUST_COEFFICIENT, 1e-3);
    set(Hyperparameter.BETA2_DECAY, -0.8);
    set(Hyperparameter.EPSILON2, 1e-3);
    set(Hyperparameter.RELATIVE_STEP, 1);
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
