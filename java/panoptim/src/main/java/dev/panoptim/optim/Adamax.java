package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Adam with the infinity norm in the place of the second moment's root:
///
///     g = g + weightDecay * w
///     m = beta1 * m + (1 - beta1) * g
///     r = max(beta2 * r, |g| + epsilon)
///     w = w - learningRate / (1 - beta1^t) * m / r
///
/// Sources: Kingma and Ba 2015; PyTorch's `torch.optim.Adamax`.
public final class Adamax {
  private Adamax() {}

  /// Learning rate 2e-3, betas 0.9 and 0.999, epsilon 1e-8, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(2e-3).weightDecay(0);
      setBetas(0.9, 0.999);
      set(Hyperparameter.EPSILON, 1e-8);
    }

    /// @param beta1 decay of the first moment, from 0 to 1 exclusively
    /// @param beta2 decay of the second moment, from 0 to 1 exclusively
    /// @throws IllegalArgumentException if one is out of range
    public Builder betas(double beta1, double beta2) {
      return setBetas(beta1, beta2);
    }

    /// @param value added to the gradient's absolute value, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is not
    public Builder epsilon(double value) {
      return set(Hyperparameter.EPSILON, value);
    }

    @Override
    Builder self() {
      return this;
    }

    @Override
    Rule rule() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.INFINITY_NORM)
          .biasCorrection(true)
          .decay(Decay.L2)
          .maximize(maximizes())
          .build();
    }
  }
}
