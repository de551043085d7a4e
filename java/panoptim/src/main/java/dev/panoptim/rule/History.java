package dev.panoptim.rule;

/// The states of past gradients that a rule has besides its moments.
///
/// Immutable.
public enum History {
  /// None.
  NONE,
  /// A second, slower first moment `n = beta3 * n + (1 - beta3) * g`; the direction has `m + alpha
  /// * n` in place of m. (AdEMAMix: [Pagliardini, Ablin and Grangier
  ///   2024](https://arxiv.org/abs/2409.03137).)
  SLOW_MOMENT,
  /// The moving average of the differences of successive gradients, `d = beta2 * d + (1 - beta2) *
  /// (g - g before)`; the direction has `m + beta2 * d` in place of m, and the second moment, whose
  /// decay is beta3, squares `g + beta2 * (g - g before)`. (Adan: [Xie and others
  /// 2022](https://arxiv.org/abs/2208.06677).)
  DIFFERENCE_MOMENT,
  /// The gradient is replaced by `g + gamma * beta1 / (1 - beta1) * (g - g before)`. (MARS: [Yuan
  /// and others 2024](https://arxiv.org/abs/2411.10438).)
  CORRECTED_GRADIENT
}
