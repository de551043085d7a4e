package dev.panoptim.optim;

import dev.panoptim.device.CudaException;
import dev.panoptim.internal.step.StepOutcome;

/// The result of a step. Each optimizer has one report, which the next step overwrites: to keep a
/// number, copy it. After a step that threw, it describes the updates before the exception.
///
/// On a GPU, the methods for norm, clip factor and skipping wait until the step is done, and throw
/// a [CudaException] if it failed. After [Optimizer#close()] they return the last step's values
/// without waiting.
///
/// Not thread-safe: for the thread that steps.
public final class StepReport {
  private final StepOutcome outcome;

  StepReport(StepOutcome outcome) {
    this.outcome = outcome;
  }

  /// Whether the step changed nothing because a gradient was infinite or NaN.
  public boolean skipped() {
    return outcome.skipped();
  }

  /// The common norm of all scaled gradients, before clipping. NaN unless
  /// [StepOptions#clipGradNorm] or [StepOptions#skipNonFinite] is set.
  public double norm() {
    return outcome.norm();
  }

  /// The factor that reduced gradients to the largest norm; 1 if the norm was not too large. NaN or
  /// 0 if the norm is NaN or infinite and the step was not skipped.
  public double clipFactor() {
    return outcome.clipFactor();
  }

  /// The number of updated parameters, which are those with a gradient.
  public int updatedParameters() {
    return outcome.updatedParameters();
  }

  @Override
  public String toString() {
    if (!outcome.hasNorm()) {
      return "StepReport[" + updatedParameters() + " parameters]";
    }
    return skipped()
        ? "StepReport[skipped: a gradient is not finite]"
        : "StepReport[%s parameters, norm %s, clip factor %s]"
            .formatted(updatedParameters(), norm(), clipFactor());
  }
}
