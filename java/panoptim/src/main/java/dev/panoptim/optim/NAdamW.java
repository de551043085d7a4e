package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;

/// [NAdam] with decoupled weight decay.
///
/// Sources: [Dozat 2016](https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ); PyTorch's
/// `torch.optim.NAdam` with `decoupled_weight_decay`, whose weight decay is 0 by default.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class NAdamW {
  private NAdamW() {}

  /// As [NAdam], with decoupled weight decay 1e-2.
  public static NAdam.Builder builder(Iterable<Parameter> parameters) {
    return NAdam.builder(parameters).decoupledWeightDecay(true).weightDecay(1e-2);
  }
}
