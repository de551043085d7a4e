package dev.panoptim.rule;

/// The second moment V of the framework: a measure of the size of the gradients so far. The
/// direction is divided by its root.
///
/// Immutable.
public enum SecondMoment {
  /// V = 1: no division.
  NONE,
  /// `v = v + g * g`. (Adagrad: [Duchi, Hazan and Singer
  /// 2011](https://jmlr.org/papers/v12/duchi11a.html).)
  SUM,
  /// `v = beta2 * v + (1 - beta2) * g * g`, from 0. (RMSprop: Hinton 2012; Adam: [Kingma and Ba
  /// 2015](https://arxiv.org/abs/1412.6980).)
  MOVING_AVERAGE,
  /// The largest moving average so far. (AMSGrad: [Reddi, Kale and Kumar
  /// 2018](https://arxiv.org/abs/1904.09237).)
  MAXIMUM_OF_AVERAGE,
  /// The moving average minus the square of the gradient's moving average: a variance. ([Graves
  /// 2013](https://arxiv.org/abs/1308.0850).)
  CENTERED_AVERAGE,
  /// The moving average. It divides only after enough steps, when its variance is finite. (RAdam:
  /// [Liu and others 2020](https://arxiv.org/abs/1908.03265).)
  RECTIFIED_AVERAGE,
  /// `root(V) = max(beta2 * root(V), |g| + epsilon)`. (Adamax: [Kingma and Ba
  /// 2015](https://arxiv.org/abs/1412.6980).)
  INFINITY_NORM
}
