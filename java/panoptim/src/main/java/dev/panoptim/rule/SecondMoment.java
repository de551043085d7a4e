package dev.panoptim.rule;

/// The second moment V of the framework: how large the gradients so far were. The direction is
/// divided by its root.
///
/// Immutable.
public enum SecondMoment {
  /// V = 1: no division.
  NONE,
  /// `v = v + g * g`. (Adagrad: Duchi, Hazan and Singer 2011.)
  SUM,
  /// `v = beta2 * v + (1 - beta2) * g * g`, from 0. (RMSprop: Hinton 2012; Kingma and Ba 2015.)
  MOVING_AVERAGE,
  /// The largest moving average so far. (AMSGrad: Reddi, Kale and Kumar 2018.)
  MAXIMUM_OF_AVERAGE,
  /// The moving average less the square of the gradient's own moving average: a variance. (Graves
  /// 2013.)
  CENTERED_AVERAGE,
  /// The moving average, which divides only once enough steps make it trustworthy. (RAdam: Liu and
  /// others 2020.)
  RECTIFIED_AVERAGE,
  /// `root(V) = max(beta2 * root(V), |g| + epsilon)`. (Adamax: Kingma and Ba 2015.)
  INFINITY_NORM
}
