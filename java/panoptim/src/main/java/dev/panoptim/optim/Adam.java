package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;

/// Adam, with L2 decay:
///
///     g = g + weightDecay * w
///     m = beta1 * m + (1 - beta1) * g
///     v = beta2 * v + (1 - beta2) * g * g
///     w = w - learningRate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// AMSGrad divides by the root of the largest v so far.
///
/// Sources: [Kingma and Ba 2015](https://arxiv.org/abs/1412.6980); [Reddi, Kale and Kumar
/// 2018](https://arxiv.org/abs/1904.09237); PyTorch's `torch.optim.Adam`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Adam {
  private Adam() {}

  /// Learning rate 1e-3, betas 0.9 and 0.999, epsilon 1e-8, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// Options of Adam.
  public static final class Builder extends AdamFamilyBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters, Decay.L2);
      weightDecay(0);
    }
  }
}
