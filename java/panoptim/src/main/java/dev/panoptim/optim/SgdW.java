package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;

/// Stochastic gradient descent with momentum and decoupled weight decay:
///
///     m = momentum * m + (1 - dampening) * g      (m = g at the first step)
///     w = w - learningRate * weightDecay * w - learningRate * m         (nesterov: g + momentum * m)
///
/// Sources: [Loshchilov and Hutter 2019](https://arxiv.org/abs/1711.05101); timm's `sgdw`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class SgdW {
  private SgdW() {}

  /// Learning rate 1e-3, all else 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends SgdFamilyBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters, Decay.DECOUPLED);
    }
  }
}
