package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.TensorFactor;

/// AdamW with a trust ratio for each tensor, for large batches:
///
///     m = beta1 * m + (1 - beta1) * g
///     v = beta2 * v + (1 - beta2) * g * g
///     u = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + weightDecay * w
///     w = w - learningRate * min(norm(w) / norm(u), largestTrustRatio) * u
///
/// The ratio is 1 where a norm is 0. It is 1 also where the weight decay is 0, unless
/// [Builder#alwaysAdapt] is set. [StepReport#factor] returns it.
///
/// Sources: [You and others 2020](https://arxiv.org/abs/1904.00962); timm's `lamb`, which also clips the
/// norm of all gradients to 1 by default: [StepOptions#clipGradNorm].
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Lamb {
  private Lamb() {}

  /// Learning rate 1e-3, betas 0.9 and 0.999, epsilon 1e-6, weight decay 1e-2, no largest ratio.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private boolean alwaysAdapt;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(1e-2).epsilon(1e-6);
      largestTrustRatio(Float.MAX_VALUE);
    }

    /// @param value the largest trust ratio, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder largestTrustRatio(double value) {
      return set(Hyperparameter.LARGEST_TRUST_RATIO, value);
    }

    /// Whether parameters without weight decay have a trust ratio too.
    public Builder alwaysAdapt(boolean value) {
      alwaysAdapt = value;
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.MOVING_AVERAGE)
          .biasCorrection(true)
          .decay(Decay.DECOUPLED)
          .tensorFactor(alwaysAdapt ? TensorFactor.TRUST_RATIO_ALWAYS : TensorFactor.TRUST_RATIO)
          .build();
    }
  }
}
