package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Momentum of the gradient after its division by the second moment, so that the betas are independent
/// of each other:
///
///     v = beta2 * v + (1 - beta2) * g * g
///     m = beta1 * m + (1 - beta1) * g / (sqrt(v / (1 - beta2^t)) + epsilon)
///     w = w - learningRate * weightDecay * w - learningRate * m / (1 - beta1^t)
///
/// Sources: [Ziyin, Wang and Ueda 2020](https://arxiv.org/abs/2002.04839); timm's `laprop`. Both
/// implementations average the learning rate too, with a different result after a change of the learning
/// rate, and decay the parameter after its update.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class LaProp {
  private LaProp() {}

  /// Learning rate 4e-4, betas 0.9 and 0.999, epsilon 1e-15, decoupled weight decay 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private boolean decoupledWeightDecay = true;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(4e-4).weightDecay(0).epsilon(1e-15);
    }

    /// Whether weight decay is separate from the gradient, as in AdamW. The default is `true`.
    public Builder decoupledWeightDecay(boolean value) {
      decoupledWeightDecay = value;
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .momentumLast(true)
          .secondMoment(SecondMoment.MOVING_AVERAGE)
          .biasCorrection(true)
          .decay(decoupledWeightDecay ? Decay.DECOUPLED : Decay.L2)
          .build();
    }
  }
}
