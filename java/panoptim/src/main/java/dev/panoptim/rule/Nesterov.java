package dev.panoptim.rule;

/// Whether the direction runs ahead of the first moment m; x is what m is the moment of.
///
/// Immutable.
public enum Nesterov {
  /// The direction is m.
  NONE,
  /// `x + momentum * m` for the heavy ball, `(1 - beta1) * x + beta1 * m` for the moving average.
  /// (Nesterov 1983; Sutskever, Martens, Dahl and Hinton 2013.)
  NESTEROV,
  /// As Nesterov's for the moving average, with a momentum that grows with the step t: `mu(t) =
  /// beta1 * (1 - 0.5 * 0.96^(t * momentumDecay))`, each part corrected for its own bias. (NAdam:
  /// Dozat 2016.)
  SCHEDULED,
  /// `(1 - beta1) * x + beta1 * m` with m from before this step, while m itself decays with beta2.
  /// (Lion: Chen and others 2023.)
  INTERPOLATED
}
