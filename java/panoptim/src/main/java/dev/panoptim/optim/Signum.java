package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;

/// Descent by the sign of the averaged gradient:
///
///     m = momentum * m + (1 - momentum) * g
///     w = w - learningRate * weightDecay * w - learningRate * sign(m)      (the sign of 0 is 0)
///
/// Sources: [Bernstein and others 2018](https://arxiv.org/abs/1802.04434); optax's `signum`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Signum {
  private Signum() {}

  /// Learning rate 1e-3, momentum 0.9, weight decay 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0);
      momentum(0.9);
    }

    /// @param value decay of the averaged gradient, from 0 to 1 exclusively; groups know it as
    ///   [Hyperparameter#BETA1]
    /// @throws IllegalArgumentException if it is out of range
    public Builder momentum(double value) {
      return set(Hyperparameter.BETA1, value);
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .sign(true)
          .decay(Decay.DECOUPLED)
          .build();
    }
  }
}
