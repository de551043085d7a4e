package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.TensorFactor;

/// AdamW whose learning rate is reduced for a tensor while its second moment is too small for its
/// gradient:
///
///     r = mean(g * g / max(v / (1 - beta2^t), epsilon^2))   (over the tensor, v of this step)
///     rate = learningRate / max(1, sqrt(r))
///     w = w - rate * weightDecay * w
///           - rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// Sources: [Wortsman and others 2023](https://arxiv.org/abs/2304.13013); optimi's `StableAdamW`.
/// [StepReport#factor] returns `1 / max(1, sqrt(r))`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class StableAdamW {
  private StableAdamW() {}

  /// Learning rate 1e-3, betas 0.9 and 0.99, epsilon 1e-8, weight decay 1e-2.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(1e-2).betas(0.9, 0.99);
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.MOVING_AVERAGE)
          .biasCorrection(true)
          .decay(Decay.DECOUPLED)
          .tensorFactor(TensorFactor.UPDATE_SIZE)
          .build();
    }
  }
}
