package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Sophia-G, which divides by an estimate of the Hessian's diagonal:
///
///     m = beta1 * m + (1 - beta1) * g
///     w = w - learningRate * weightDecay * w
///           - learningRate * clamp(m / (rho * batchSize * h + 1e-15), 1)
///
/// Every 10 steps or so, the caller computes a gradient s of the loss on labels that are drawn from the
/// model's own predictions, and calls [Optimizer#updateHessian()]:
///
///     h = beta2 * h + (1 - beta2) * s * s
///
/// Source: [Liu and others 2023](https://arxiv.org/abs/2305.14342), and their implementation.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Sophia {
  private Sophia() {}

  /// Learning rate 1e-4, betas 0.965 and 0.99, rho 0.04, batch size 1, weight decay 0.1.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-4).weightDecay(0.1);
      betas(0.965, 0.99).rho(0.04).batchSize(1);
      set(Hyperparameter.EPSILON, 1e-15);
    }

    /// @param beta1 decay of the first moment, from 0 to 1 exclusively
    /// @param beta2 decay of the Hessian, from 0 to 1 exclusively
    /// @throws IllegalArgumentException if one is out of range
    public Builder betas(double beta1, double beta2) {
      return setBetas(beta1, beta2);
    }

    /// @param value the factor of the Hessian, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder rho(double value) {
      return set(Hyperparameter.RHO, value);
    }

    /// @param value the number of examples (or tokens) of a gradient, which is another factor of
    ///   the Hessian; a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder batchSize(double value) {
      return set(Hyperparameter.BATCH_SIZE, value);
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.CURVATURE_AVERAGE)
          .decay(Decay.DECOUPLED)
          .build();
    }
  }
}
