package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Divides by the root of the average squared difference between gradient and first moment:
///
///     m = beta1 * m + (1 - beta1) * g
///     s = beta2 * s + (1 - beta2) * (g - m)^2 + epsilon
///     w = w - learningRate * weightDecay * w
///           - learningRate * (m / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + epsilon)
///
/// Sources: [Zhuang and others 2020](https://arxiv.org/abs/2010.07468); optax's `adabelief`. The
/// rectification of RAdam, which the authors' implementation adds by default, is left out.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class AdaBelief {
  private AdaBelief() {}

  /// Learning rate 1e-3, betas 0.9 and 0.999, epsilon 1e-16, decoupled weight decay 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private boolean decoupledWeightDecay = true;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0).epsilon(1e-16);
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
          .secondMoment(SecondMoment.BELIEF_AVERAGE)
          .biasCorrection(true)
          .decay(decoupledWeightDecay ? Decay.DECOUPLED : Decay.L2)
          .build();
    }
  }
}
