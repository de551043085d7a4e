package dev.panoptim.rule;

/// The second moment V of the framework: how large the gradients so far were. The direction is
/// divided by its root.
public enum SecondMoment {
  /// V = 1: no division.
  NONE,
  /// `v = beta2 * v + (1 - beta2) * g * g`, from 0. (Kingma and Ba 2015.)
  MOVING_AVERAGE,
  /// The largest moving average so far. (AMSGrad: Reddi, Kale and Kumar 2018.)
  MAXIMUM_OF_AVERAGE
}
