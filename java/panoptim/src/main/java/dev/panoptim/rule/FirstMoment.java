package dev.panoptim.rule;

/// The first moment m of the framework: what the gradients so far point to.
///
/// Immutable.
public enum FirstMoment {
  /// The gradient itself.
  NONE,
  /// `m = momentum * m + (1 - dampening) * g`, and `m = g` at the first step. (Polyak 1964;
  /// PyTorch's SGD.)
  HEAVY_BALL,
  /// `m = beta1 * m + (1 - beta1) * g`, from 0. (Kingma and Ba 2015.)
  MOVING_AVERAGE
}
