package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;

/// Stochastic gradient descent, with momentum, dampening, Nesterov momentum and L2 decay as PyTorch has them:
///
///     g = g + weightDecay * w
///     m = momentum * m + (1 - dampening) * g      (m = g at the first step)
///     w = w - learningRate * m                    (nesterov: g + momentum * m)
///
/// Without momentum there is no state, and `w = w - learningRate * g`.
///
/// Sources: [Polyak 1964](https://doi.org/10.1016/0041-5553(64)90137-5); [Sutskever and others
/// 2013](https://proceedings.mlr.press/v28/sutskever13.html); PyTorch's `torch.optim.SGD`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Sgd {
  private Sgd() {}

  /// Learning rate 1e-3, all else 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// Options of SGD.
  public static final class Builder extends SgdFamilyBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters, Decay.L2);
    }
  }
}
