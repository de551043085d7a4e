package dev.panoptim.rule;

/// How weight decay pulls parameters towards 0.
///
/// Immutable.
public enum Decay {
  /// Not at all.
  NONE,
  /// `g = g + weightDecay * w`, before the moments see the gradient.
  L2,
  /// `w = w - learningRate * weightDecay * w`, beside the update. (Loshchilov and Hutter 2019.)
  DECOUPLED
}
