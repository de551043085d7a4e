package dev.panoptim.rule;

/// The factor of the learning rate that depends on the shape of a matrix, for [Orthogonalization].
/// Weight decay does not have the factor.
///
/// Immutable.
public enum Adjustment {
  /// The factor is 1.
  NONE,
  /// `root(max(1, rows / columns))`. ([Jordan and others
  /// 2024](https://kellerjordan.github.io/posts/muon/); PyTorch's `original`.)
  ORIGINAL,
  /// `0.2 * root(max(rows, columns))`: the root mean square of a step is about that of AdamW, whose
  /// learning rates can be used. ([Liu and others 2025](https://arxiv.org/abs/2502.16982);
  /// PyTorch's `match_rms_adamw`.)
  MATCH_RMS
}
