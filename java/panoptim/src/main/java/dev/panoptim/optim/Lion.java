package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.Update;

/// Lion, which uses the sign of a weighted sum of gradient and momentum:
///
///     d = sign(beta1 * m + (1 - beta1) * g)                 (the sign of 0 is 0)
///     m = beta2 * m + (1 - beta2) * g
///     w = w - learningRate * weightDecay * w - learningRate * d
///
/// Source: [Chen and others 2023](https://arxiv.org/abs/2302.06675).
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Lion {
  private Lion() {}

  /// Learning rate 1e-4, betas 0.9 and 0.99, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private boolean cautious;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-4).weightDecay(0);
      setBetas(0.9, 0.99);
    }

    /// @param beta1 the weight of the first moment in the direction, from 0 to 1 exclusively
    /// @param beta2 decay of the first moment, from 0 to 1 exclusively
    /// @throws IllegalArgumentException if one is out of range
    public Builder betas(double beta1, double beta2) {
      return setBetas(beta1, beta2);
    }

    /// Whether only elements move whose direction has the sign of their gradient; see
    /// [Update#CAUTIOUS].
    public Builder cautious(boolean value) {
      cautious = value;
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .nesterov(Nesterov.INTERPOLATED)
          .sign(true)
          .decay(Decay.DECOUPLED)
          .update(cautious ? Update.CAUTIOUS : Update.DESCENT)
          .build();
    }
  }
}
