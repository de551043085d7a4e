package dev.panoptim.rule;

/// Whether the direction of a matrix is replaced by its nearest semi-orthogonal matrix, and with
/// which coefficients the Newton-Schulz iteration approximates that. (Muon: [Jordan and others
/// 2024](https://kellerjordan.github.io/posts/muon/).)
///
/// The direction X, divided by its Frobenius norm, is iterated: `A = X * X'; X = a * X + (b * A + c
/// * A * A) * X`. Its singular values approach 1, its singular vectors stay. A set of coefficients
///   has a triple (a, b, c) for each iteration; further iterations have the last triple.
///
/// A parameter of more than two dimensions is a matrix with the first extent as rows and the
/// product of the others as columns. A parameter of less than two dimensions is refused.
///
/// Immutable.
public enum Orthogonalization {
  /// None: the direction stays as it is, whatever its shape.
  NONE,
  /// One triple, 3.4445, -4.7750, 2.0315: PyTorch's. Five iterations take singular values above
  /// 0.002 of the norm into the range from 0.68 to 1.21.
  ORIGINAL,
  /// Five triples that were [optimized
  /// together](https://leloykun.github.io/ponder/muon-opt-coeffs/).
  QUINTIC,
  /// Eight triples of [Polar Express](https://arxiv.org/abs/2505.16932), with a safety of 0.01:
  /// singular values converge to 1.
  POLAR_EXPRESS,
  /// As [#POLAR_EXPRESS], with a safety of 0.02.
  POLAR_EXPRESS_SAFER
}
