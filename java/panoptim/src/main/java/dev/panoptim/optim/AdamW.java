package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;

/// Adam with decoupled weight decay:
///
///     m = beta1 * m + (1 - beta1) * g
///     v = beta2 * v + (1 - beta2) * g * g
///     w = w - learningRate * weightDecay * w
///           - learningRate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// Sources: [Loshchilov and Hutter 2019](https://arxiv.org/abs/1711.05101); PyTorch's `torch.optim.AdamW`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class AdamW {
  private AdamW() {}

  /// Learning rate 1e-3, betas 0.9 and 0.999, epsilon 1e-8, weight decay 1e-2.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// Options of AdamW.
  public static final class Builder extends AdamFamilyBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters, Decay.DECOUPLED);
      weightDecay(1e-2);
    }
  }
}
