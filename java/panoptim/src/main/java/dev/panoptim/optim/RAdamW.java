package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;

/// [RAdam] with decoupled weight decay.
///
/// Sources: [Liu and others 2020](https://arxiv.org/abs/1908.03265); PyTorch's `torch.optim.RAdam`
/// with `decoupled_weight_decay`, whose weight decay is 0 by default.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class RAdamW {
  private RAdamW() {}

  /// As [RAdam], with decoupled weight decay 1e-2.
  public static RAdam.Builder builder(Iterable<Parameter> parameters) {
    return RAdam.builder(parameters).decoupledWeightDecay(true).weightDecay(1e-2);
  }
}
