package dev.panoptim.rule;

/// How weight decay moves parameters towards 0.
///
/// Immutable.
public enum Decay {
  /// No weight decay.
  NONE,
  /// `g = g + weightDecay * w`, before the moments use the gradient.
  L2,
  /// `w = w - learningRate * weightDecay * w`, separate from the gradient. (AdamW: [Loshchilov and
  /// Hutter 2019](https://arxiv.org/abs/1711.05101).)
  DECOUPLED,
  /// `w = w / (1 + learningRate * weightDecay)` after the step, separate from the gradient. (Adan:
  /// [Xie and others 2022](https://arxiv.org/abs/2208.06677).)
  PROXIMAL
}
