package dev.panoptim.rows;

/// What happens to a row in the steps in which it has no gradient.
///
/// Immutable.
public enum MissedSteps {
  /// Nothing: moments and weights stay as they are, and the count of steps is that of the table.
  /// This is how PyTorch's
  /// [SparseAdam](https://docs.pytorch.org/docs/stable/generated/torch.optim.SparseAdam.html)
  /// works.
  SKIPPED,

  /// The same as in a dense step with a gradient of 0. The row makes the steps that it has missed
  /// when it is needed again: in its next step, or in [RowTable#catchUp] or [IdTable#catchUp].
  ///
  /// The last [RowTable#REPLAYED] missed steps are made one by one, with the learning rates that
  /// they had, so a row that was away for no longer has the bits of a dense step. Older ones are
  /// made together. That is exact for the decay of moments and weights, except for rounding and for
  /// a learning rate that has changed meanwhile. The movement by the decaying moments is the sum of
  /// a geometric series, for which epsilon is taken to be small beside the root of the second
  /// moment, and the bias correction to be that of a step in the middle of the movement: within a
  /// tenth of the movement from the first step of a table on.
  APPLIED
}
