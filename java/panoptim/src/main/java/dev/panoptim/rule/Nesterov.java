package dev.panoptim.rule;

/// Whether the direction mixes the first moment m with x, its input at this step. x is the
/// gradient, or the direction if the momentum comes last.
///
/// Immutable.
public enum Nesterov {
  /// The direction is m.
  NONE,
  /// `x + momentum * m` for the heavy ball, `(1 - beta1) * x + beta1 * m` for the moving average.
  /// ([Sutskever and others 2013](https://proceedings.mlr.press/v28/sutskever13.html), after
  /// Nesterov 1983.)
  NESTEROV,
  /// As [#NESTEROV] for the moving average, with a momentum that grows with the step t: `mu(t) =
  /// beta1 * (1 - 0.5 * 0.96^(t * momentumDecay))`. x and m have separate bias corrections. (NAdam:
  /// [Dozat 2016](https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ).)
  SCHEDULED,
  /// `(1 - beta1) * x + beta1 * m` with m from before this step; m decays with beta2. (Lion: [Chen
  /// and others 2023](https://arxiv.org/abs/2302.06675).)
  INTERPOLATED,
  /// `(1 - nu1) * x + nu1 * m`, m with bias correction if the rule has one. (QHM and QHAdam: [Ma
  /// and Yarats 2018](https://arxiv.org/abs/1810.06801).)
  QUASI_HYPERBOLIC
}
