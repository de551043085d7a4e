package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Adam with Nesterov momentum, which grows with the step:
///
///     g = g + weightDecay * w                               (or decoupled, as in AdamW)
///     m = beta1 * m + (1 - beta1) * g
///     v = beta2 * v + (1 - beta2) * g * g
///     mu(t) = beta1 * (1 - 0.5 * 0.96^(t * momentumDecay)), P(t) = mu(1) * ... * mu(t)
///     d = (1 - mu(t)) / (1 - P(t)) * g + mu(t + 1) / (1 - P(t + 1)) * m
///     w = w - learningRate * d / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// Sources: [Dozat 2016](https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ); PyTorch's `torch.optim.NAdam`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class NAdam {
  private NAdam() {}

  /// Learning rate 2e-3, betas 0.9 and 0.999, epsilon 1e-8, momentum decay 4e-3, no weight decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private boolean decoupledWeightDecay;
    private boolean epsilonBeforeCorrection;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(2e-3).weightDecay(0);
      set(Hyperparameter.MOMENTUM_DECAY, 4e-3);
    }

    /// @param value a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder momentumDecay(double value) {
      return set(Hyperparameter.MOMENTUM_DECAY, value);
    }

    /// Whether weight decay is separate from the gradient, as in AdamW.
    public Builder decoupledWeightDecay(boolean value) {
      decoupledWeightDecay = value;
      return this;
    }

    /// Whether epsilon is added to the root of the second moment before the bias correction, as in
    /// [Adam.Builder#epsilonBeforeCorrection]. The default is `false`, as in PyTorch and in
    /// [Keras](https://github.com/keras-team/keras/blob/master/keras/src/optimizers/nadam.py).
    public Builder epsilonBeforeCorrection(boolean value) {
      epsilonBeforeCorrection = value;
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .nesterov(Nesterov.SCHEDULED)
          .secondMoment(SecondMoment.MOVING_AVERAGE)
          .biasCorrection(true)
          .epsilonBeforeCorrection(epsilonBeforeCorrection)
          .decay(decoupledWeightDecay ? Decay.DECOUPLED : Decay.L2)
          .build();
    }
  }
}
