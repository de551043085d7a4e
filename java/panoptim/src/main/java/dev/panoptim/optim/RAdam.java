package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Rectified Adam, which divides by the second moment only after enough steps for a finite
/// variance:
///
///     g = g + weightDecay * w                               (or decoupled, as in AdamW)
///     m = beta1 * m + (1 - beta1) * g
///     v = beta2 * v + (1 - beta2) * g * g
///     n = 2 / (1 - beta2) - 1,  r = n - 2 * t * beta2^t / (1 - beta2^t)
///     w = w - learningRate * m / (1 - beta1^t)              (while r is at most 5)
///     w = w - learningRate * m / (1 - beta1^t) * sqrt(1 - beta2^t) / (sqrt(v) + epsilon)
///           * sqrt((r - 4) * (r - 2) * n / ((n - 4) * (n - 2) * r))
///
/// Sources: [Liu and others 2020](https://arxiv.org/abs/1908.03265); PyTorch's `torch.optim.RAdam`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class RAdam {
  private RAdam() {}

  /// Learning rate 1e-3, betas 0.9 and 0.999, epsilon 1e-8, no weight decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private boolean decoupledWeightDecay;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0);
    }

    /// Whether weight decay is separate from the gradient, as in AdamW.
    public Builder decoupledWeightDecay(boolean value) {
      decoupledWeightDecay = value;
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.RECTIFIED_AVERAGE)
          .biasCorrection(true)
          .decay(decoupledWeightDecay ? Decay.DECOUPLED : Decay.L2)
          .build();
    }
  }
}
