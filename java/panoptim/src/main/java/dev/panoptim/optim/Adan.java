package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.History;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Adaptive Nesterov momentum, by a moment of the differences of successive gradients:
///
///     e = g - g before                                      (0 at the first step)
///     m = beta1 * m + (1 - beta1) * g
///     d = beta2 * d + (1 - beta2) * e
///     v = beta3 * v + (1 - beta3) * (g + beta2 * e)^2
///     n = m / (1 - beta1^t) + beta2 * d / (1 - beta2^t)
///     w = (w - learningRate * n / (sqrt(v / (1 - beta3^t)) + epsilon)) / (1 + learningRate * weightDecay)
///
/// With [Builder#decoupledWeightDecay], `w = w - learningRate * weightDecay * w` replaces the division.
///
/// Sources: [Xie and others 2022](https://arxiv.org/abs/2208.06677); timm's `adan`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Adan {
  private Adan() {}

  /// Learning rate 1e-3, betas 0.98, 0.92 and 0.99, epsilon 1e-8, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private boolean decoupledWeightDecay;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0);
      betas(0.98, 0.92, 0.99).epsilon(1e-8);
    }

    /// @param beta1 decay of the first moment, from 0 to 1 exclusively
    /// @param beta2 decay of the moment of differences, from 0 to 1 exclusively
    /// @param beta3 decay of the second moment, from 0 to 1 exclusively
    /// @throws IllegalArgumentException if one is out of range
    public Builder betas(double beta1, double beta2, double beta3) {
      Hyperparameter.BETA3.check(beta3);
      setBetas(beta1, beta2);
      return set(Hyperparameter.BETA3, beta3);
    }

    /// @param value added to the root of the second moment, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder epsilon(double value) {
      return set(Hyperparameter.EPSILON, value);
    }

    /// Whether the parameter decays by subtraction, as in AdamW, instead of by division. The
    /// default is `false`.
    public Builder decoupledWeightDecay(boolean value) {
      decoupledWeightDecay = value;
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.MOVING_AVERAGE)
          .biasCorrection(true)
          .history(History.DIFFERENCE_MOMENT)
          .decay(decoupledWeightDecay ? Decay.DECOUPLED : Decay.PROXIMAL)
          .build();
    }
  }
}
