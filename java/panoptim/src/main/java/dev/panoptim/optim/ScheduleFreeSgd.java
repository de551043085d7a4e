package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.Update;

/// SGD that needs no schedule of the learning rate. The parameter w lies between z, which descends, and
/// the average of z:
///
///     rate = learningRate * min(1, t / warmupSteps)
///     weight = t^weightPower * (the largest rate so far)^learningRatePower,  c = weight / (sum of weights)
///     u = g + weightDecay * w
///     w = w + c * (z - w) + rate * (momentum * (1 - c) - 1) * u
///     z = z - rate * u
///
/// For predictions, call [Optimizer#eval()]: it moves parameters to the average of z. [Optimizer#train()]
/// moves them back.
///
/// Sources: [Defazio and others 2024](https://arxiv.org/abs/2405.15682); their `schedule_free`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class ScheduleFreeSgd {
  private ScheduleFreeSgd() {}

  /// Learning rate 1, momentum 0.9, no warm-up, weight power 0, learning rate power 2, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1).weightDecay(0);
      momentum(0.9).warmupSteps(0).weightPower(0).learningRatePower(2);
    }

    /// @param value the share of the average in the parameter, from 0 to 1 exclusively; groups know
    ///   it as [Hyperparameter#BETA1]
    /// @throws IllegalArgumentException if it is out of range
    public Builder momentum(double value) {
      return set(Hyperparameter.BETA1, value);
    }

    /// @param value the number of steps in which the learning rate grows linearly to its value, a
    ///   finite number of 0 or more; 0 for none
    /// @throws IllegalArgumentException if it is out of range
    public Builder warmupSteps(double value) {
      return set(Hyperparameter.WARMUP_STEPS, value);
    }

    /// @param value the power of the step's number in the weight of a step, a finite number of 0 or
    ///   more
    /// @throws IllegalArgumentException if it is out of range
    public Builder weightPower(double value) {
      return set(Hyperparameter.WEIGHT_POWER, value);
    }

    /// @param value the power of the largest learning rate so far in the weight of a step, a finite
    ///   number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder learningRatePower(double value) {
      return set(Hyperparameter.LEARNING_RATE_POWER, value);
    }

    @Override
    Rule composition() {
      return Rule.builder().update(Update.SCHEDULE_FREE).decay(Decay.DECOUPLED).build();
    }
  }
}
