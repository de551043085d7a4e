package dev.panoptim.rule;

/// The first moment m of the framework: a weighted sum of the gradients so far.
///
/// Immutable.
public enum FirstMoment {
  /// `m = g`, without a state.
  NONE,
  /// `m = momentum * m + (1 - dampening) * g`, and `m = g` at the first step. (Polyak 1964;
  /// [Sutskever and others 2013](https://proceedings.mlr.press/v28/sutskever13.html); PyTorch's
  /// SGD.)
  HEAVY_BALL,
  /// `m = beta1 * m + (1 - beta1) * g`, from 0. (Adam: [Kingma and Ba
  /// 2015](https://arxiv.org/abs/1412.6980).)
  MOVING_AVERAGE
}
