package dev.panoptim.optim;

import dev.panoptim.device.CudaException;
import dev.panoptim.internal.step.StepOutcome;

/// What a step did. There is one for each optimizer, which the next step writes anew: to keep a
/// number, copy it. After a step that threw, it says that nothing was updated, or what was until
/// then.
///
/// On a GPU, norm, clip factor and whether the step was skipped are known once the GPU has come so
/// far: these methods wait for it, and throw a [CudaException] if something failed there. Of the
/// last step before [Optimizer#close()] they know it without waiting.
///
/// Not thread-safe: for the thread that steps, which may hand on the numbers.
public final class StepReport {
  private final StepOutcome outcome;

  StepReport(StepOutcome outcome) {
    this.outcome = outcome;
  }

  /// Whether the step changed nothing because a gradient was infinite or no number.
  public boolean skipped() {
    return outcome.skipped();
  }

  /// The norm of all gradients together, scaled and not yet clipped. NaN if it was not asked for,
  /// by a norm to clip to or by skipping what is not finite.
  public double norm() {
    return outcome.norm();
  }

  /// What gradients were multiplied with to have the norm that they are clipped to; 1 if they were
  /// not too large. NaN or 0 if the norm is NaN or infinite, and the step was not skipped for it.
  public double clipFactor() {
    return outcome.clipFactor();
  }

  /// How many parameters had a gradient and were updated.
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
