package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.Update;

/// AdamW that needs no schedule of the learning rate. As [ScheduleFreeSgd], with
///
///     v = beta2 * v + (1 - beta2) * g * g
///     u = g / (sqrt(v / (1 - beta2^t)) + epsilon) + weightDecay * w
///
/// and beta1 in place of the momentum.
///
/// Sources: [Defazio and others 2024](https://arxiv.org/abs/2405.15682); their `schedule_free`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class ScheduleFreeAdamW {
  private ScheduleFreeAdamW() {}

  /// Learning rate 2.5e-3, betas 0.9 and 0.999, epsilon 1e-8, no warm-up, weight power 0, learning
  /// rate power 2, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(2.5e-3).weightDecay(0);
      warmupSteps(0).weightPower(0).learningRatePower(2);
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
      return Rule.builder()
          .secondMoment(SecondMoment.MOVING_AVERAGE)
          .biasCorrection(true)
          .update(Update.SCHEDULE_FREE)
          .decay(Decay.DECOUPLED)
          .build();
    }
  }
}
