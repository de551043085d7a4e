package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.History;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// AdamW on a gradient with less variance, by its difference from the previous one:
///
///     c = g + gamma * beta1 / (1 - beta1) * (g - g before)  (the difference is 0 at the first step)
///     c = c / max(1, norm(c))                               (over the tensor)
///     m = beta1 * m + (1 - beta1) * c
///     v = beta2 * v + (1 - beta2) * c * c
///     w = w - learningRate * weightDecay * w
///           - learningRate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// The authors use AdamW for parameters of one dimension: give those to [AdamW] in a group of their own,
/// see [Optimizer#builder()].
///
/// Source: [Yuan and others 2024](https://arxiv.org/abs/2411.10438), their MARS-AdamW.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Mars {
  private Mars() {}

  /// Learning rate 3e-3, betas 0.95 and 0.99, epsilon 1e-8, gamma 0.025, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(3e-3).weightDecay(0).betas(0.95, 0.99);
      gamma(0.025);
    }

    /// @param value the share of the difference, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder gamma(double value) {
      return set(Hyperparameter.GAMMA, value);
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.MOVING_AVERAGE)
          .biasCorrection(true)
          .history(History.CORRECTED_GRADIENT)
          .decay(Decay.DECOUPLED)
          .build();
    }
  }
}
