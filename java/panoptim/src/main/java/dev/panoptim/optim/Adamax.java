package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Adam with the infinity norm instead of the second moment's root:
///
///     g = g + weightDecay * w
///     m = beta1 * m + (1 - beta1) * g
///     r = max(beta2 * r, |g| + epsilon)
///     w = w - learningRate / (1 - beta1^t) * m / r
///
/// Sources: [Kingma and Ba 2015](https://arxiv.org/abs/1412.6980); PyTorch's `torch.optim.Adamax`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Adamax {
  private Adamax() {}

  /// Learning rate 2e-3, betas 0.9 and 0.999, epsilon 1e-8, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(2e-3).weightDecay(0);
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.INFINITY_NORM)
          .biasCorrection(true)
          .decay(Decay.L2)
          .build();
    }
  }
}
