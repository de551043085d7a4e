package dev.panoptim.rule;

/// A factor for each tensor that depends on sums over its elements. The sums are measured in a pass
/// of its own before the update, in an order that does not depend on threads.
///
/// Norms are over all elements of the tensor; u is the direction plus `weightDecay * w`.
///
/// Immutable.
public enum TensorFactor {
  /// None, and no pass to measure.
  NONE,
  /// The learning rate is multiplied by `norm(w) / norm(u)`, at most `largestTrustRatio`; by 1
  /// where a norm is 0 or the weight decay is 0. (LAMB: [You and others
  /// 2020](https://arxiv.org/abs/1904.00962).)
  TRUST_RATIO,
  /// As [#TRUST_RATIO], without the exception for a weight decay of 0.
  TRUST_RATIO_ALWAYS,
  /// The gradient, L2 decay included, is multiplied by `trustCoefficient * norm(w) / (norm(g) +
  /// weightDecay * norm(w) + epsilon)`; by 1 where a norm is 0. (LARS: [You, Gitman and Ginsburg
  /// 2017](https://arxiv.org/abs/1708.03888).)
  GRADIENT_TRUST_RATIO,
  /// As [#GRADIENT_TRUST_RATIO], with the factor divided by the learning rate and at most 1. (LARC,
  /// of NVIDIA's apex.)
  CLIPPED_GRADIENT_TRUST_RATIO,
  /// The gradient is divided by `root(n) + epsilon`, where n is the moving average of `norm(g)^2`
  /// with beta2, from its first value; then comes L2 decay. (NovoGrad: [Ginsburg and others
  /// 2019](https://arxiv.org/abs/1905.11286).)
  GRADIENT_NORM,
  /// The learning rate is divided by the root mean square of `g / max(root(v), epsilon)`, if that
  /// is above 1. (StableAdamW: [Wortsman and others 2023](https://arxiv.org/abs/2304.13013).)
  UPDATE_SIZE,
  /// The learning rate, but not that of weight decay, is divided by `rms / clipThreshold`, if that
  /// is above 1, where rms is the root mean square of the direction. (Adafactor: [Shazeer and Stern
  /// 2018](https://arxiv.org/abs/1804.04235).)
  CLIPPED_DIRECTION,
  /// As [#CLIPPED_DIRECTION], with weight decay by the learning rate that `relativeStep` limits.
  CLIPPED_DIRECTION_LIMITED_DECAY,
  /// As [#CLIPPED_DIRECTION]. The learning rate is also multiplied by the root mean square of the
  /// parameter, which counts as epsilon2 if it is less.
  PARAMETER_SIZE,
  /// As [#PARAMETER_SIZE], with weight decay by the learning rate that `relativeStep` limits, times
  /// that root mean square.
  PARAMETER_SIZE_AND_DECAY
}
