package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Adam that converges with any beta2, because the gradient is divided by the second moment of the steps
/// before:
///
///     d = clamp(g / max(sqrt(v), epsilon), (t - 1)^clipPower)
///     m = beta1 * m + (1 - beta1) * d
///     w = w - learningRate * weightDecay * w - learningRate * m
///     v = beta2 * v + (1 - beta2) * g * g
///
/// The first step only sets `v = g * g`; it changes neither m nor the parameter.
///
/// Sources: [Taniguchi and others 2024](https://arxiv.org/abs/2411.02853); their implementation and
/// optax's have the power 0.25, timm's 0.333.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Adopt {
  private Adopt() {}

  /// Learning rate 1e-3, betas 0.9 and 0.9999, epsilon 1e-6, clip power 0.25, decoupled weight
  /// decay 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private boolean decoupledWeightDecay = true;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0).betas(0.9, 0.9999).epsilon(1e-6);
      clipPower(0.25);
    }

    /// @param value the power of the number of earlier steps to which the direction is clamped, a
    ///   finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder clipPower(double value) {
      return set(Hyperparameter.CLIP_POWER, value);
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
          .secondMoment(SecondMoment.DELAYED_AVERAGE)
          .decay(decoupledWeightDecay ? Decay.DECOUPLED : Decay.L2)
          .build();
    }
  }
}
