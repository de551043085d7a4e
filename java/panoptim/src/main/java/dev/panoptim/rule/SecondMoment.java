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
  INFINITY_NORM,
  /// The moving average of `(g - m) * (g - m)`, to which epsilon is added at each step. (AdaBelief:
  /// [Zhuang and others 2020](https://arxiv.org/abs/2010.07468).)
  BELIEF_AVERAGE,
  /// `v = v - (1 - beta2) * sign(v - g * g) * g * g`: a step changes v in proportion to the squared
  /// gradient, whatever the size of v. (Yogi: [Zaheer and others
  /// 2018](https://papers.nips.cc/paper/2018/hash/90365351ccc7437a1309dc64e4db32a3-Abstract.html).)
  SIGNED_AVERAGE,
  /// The moving average v from before this step: the divisor is `max(root(v), epsilon)`, and each
  /// element of the quotient is clamped to `(t - 1)^clipPower`. The first step only sets v to `g *
  /// g`. (ADOPT: [Taniguchi and others 2024](https://arxiv.org/abs/2411.02853).)
  DELAYED_AVERAGE,
  /// A moving average of squared gradients that only special steps change; see
  /// [dev.panoptim.optim.Optimizer#updateHessian()]. The divisor is `rho * batchSize * v +
  /// epsilon`, without a root; each element of the quotient is clamped to 1. (Sophia-G: [Liu and
  /// others 2023](https://arxiv.org/abs/2305.14342).)
  CURVATURE_AVERAGE,
  /// `nu2 * v + (1 - nu2) * g * g`, where v is the moving average. (QHAdam: [Ma and Yarats
  /// 2018](https://arxiv.org/abs/1810.06801).)
  MIXED_AVERAGE,
  /// The moving average, whose decay at step t is `1 - t^beta2Decay`. Of a parameter of two or more
  /// dimensions, only its means over rows R and over columns C are kept, for each matrix of the
  /// last two dimensions, and `v = R * C / mean(R)`. Epsilon is the least root of v, and the least
  /// mean of R; with `epsilonInside` it is added to each square of a gradient. Backends of the cpu
  /// only. (Adafactor: [Shazeer and Stern 2018](https://arxiv.org/abs/1804.04235).)
  FACTORED_AVERAGE
}
