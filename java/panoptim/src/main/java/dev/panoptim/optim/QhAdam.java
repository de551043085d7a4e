package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Adam with quasi-hyperbolic moments, which are mixed with the gradient and its square:
///
///     g = g + weightDecay * w                               (or decoupled, as in AdamW)
///     m = beta1 * m + (1 - beta1) * g
///     v = beta2 * v + (1 - beta2) * g * g
///     n = (1 - nu1) * g + nu1 * m / (1 - beta1^t)
///     d = sqrt((1 - nu2) * g * g + nu2 * v / (1 - beta2^t)) + epsilon
///     w = w - learningRate * n / d
///
/// Sources: [Ma and Yarats 2018](https://arxiv.org/abs/1810.06801), whose recommended nus are the
/// defaults; their `qhoptim`, whose default nus are 1.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class QhAdam {
  private QhAdam() {}

  /// Learning rate 1e-3, betas 0.9 and 0.999, nus 0.7 and 1, epsilon 1e-8, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private boolean decoupledWeightDecay;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0);
      nus(0.7, 1);
    }

    /// @param nu1 the share of the first moment in the numerator, from 0 to 1
    /// @param nu2 the share of the second moment under the root, from 0 to 1
    /// @throws IllegalArgumentException if one is out of range
    public Builder nus(double nu1, double nu2) {
      Hyperparameter.NU2.check(nu2);
      set(Hyperparameter.NU1, nu1);
      return set(Hyperparameter.NU2, nu2);
    }

    /// Whether weight decay is separate from the gradient, as in AdamW. The default is `false`.
    public Builder decoupledWeightDecay(boolean value) {
      decoupledWeightDecay = value;
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .nesterov(Nesterov.QUASI_HYPERBOLIC)
          .secondMoment(SecondMoment.MIXED_AVERAGE)
          .biasCorrection(true)
          .decay(decoupledWeightDecay ? Decay.DECOUPLED : Decay.L2)
          .build();
    }
  }
}
