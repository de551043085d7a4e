package dev.panoptim.optim;

import java.util.Objects;

/// What a step of [Lbfgs] did.
///
/// Immutable.
///
/// @param end the reason why the step ended
/// @param iterations the iterations of this step
/// @param evaluations the calls of the closure in this step
/// @param firstLoss the loss before the step
/// @param lastLoss the loss of the last point that was accepted and evaluated
public record LbfgsReport(
    End end, int iterations, int evaluations, double firstLoss, double lastLoss) {
  public LbfgsReport {
    Objects.requireNonNull(end, "end is null");
  }

  /// Why a step ended.
  public enum End {
    /// No step has been made, or the last one threw an exception.
    NONE,

    /// No element of the gradient is larger than the tolerance.
    GRADIENT_TOLERANCE,

    /// The parameters or the loss changed by less than the tolerance.
    CHANGE_TOLERANCE,

    /// The loss does not decrease along the direction by more than the tolerance.
    NO_DESCENT,

    /// The most iterations of a step have been made.
    ITERATIONS,

    /// The most evaluations of a step have been made.
    EVALUATIONS,

    /// The loss or the gradient is not finite. The parameters are where both were finite last, or
    /// unchanged if they were not finite at the first evaluation.
    NOT_FINITE
  }
}
