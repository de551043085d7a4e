package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.History;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// AdamW with a second, slower first moment:
///
///     m = beta1 * m + (1 - beta1) * g
///     n = beta3(t) * n + (1 - beta3(t)) * g
///     v = beta2 * v + (1 - beta2) * g * g
///     d = (m / (1 - beta1^t) + alpha(t) * n) / (sqrt(v / (1 - beta2^t)) + epsilon)
///     w = w - learningRate * weightDecay * w - learningRate * d
///
/// During the first `warmupSteps` steps, `alpha(t)` grows linearly from 0 to alpha, and `beta3(t)` from
/// beta1 to beta3 so that the half-life of n grows linearly.
///
/// Sources: [Pagliardini, Ablin and Grangier 2024](https://arxiv.org/abs/2409.03137); their `ademamix`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class AdEmaMix {
  private AdEmaMix() {}

  /// Learning rate 1e-3, betas 0.9, 0.999 and 0.9999, alpha 2, epsilon 1e-8, no warm-up, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0);
      betas(0.9, 0.999, 0.9999).alpha(2).epsilon(1e-8).warmupSteps(0);
    }

    /// @param beta1 decay of the first moment, from 0 to 1 exclusively
    /// @param beta2 decay of the second moment, from 0 to 1 exclusively
    /// @param beta3 decay of the slow first moment, from 0 to 1 exclusively
    /// @throws IllegalArgumentException if one is out of range
    public Builder betas(double beta1, double beta2, double beta3) {
      Hyperparameter.BETA3.check(beta3);
      setBetas(beta1, beta2);
      return set(Hyperparameter.BETA3, beta3);
    }

    /// @param value the share of the slow moment in the direction, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder alpha(double value) {
      return set(Hyperparameter.ALPHA, value);
    }

    /// @param value the number of steps until alpha and beta3 have their values, a finite number of
    ///   0 or more; 0 for no warm-up
    /// @throws IllegalArgumentException if it is out of range
    public Builder warmupSteps(double value) {
      return set(Hyperparameter.WARMUP_STEPS, value);
    }

    /// @param value added to the root of the second moment, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder epsilon(double value) {
      return set(Hyperparameter.EPSILON, value);
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.MOVING_AVERAGE)
          .biasCorrection(true)
          .history(History.SLOW_MOMENT)
          .decay(Decay.DECOUPLED)
          .build();
    }
  }
}
