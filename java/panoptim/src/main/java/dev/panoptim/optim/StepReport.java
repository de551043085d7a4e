package dev.panoptim.optim;

import dev.panoptim.device.CudaException;
import dev.panoptim.internal.step.NormDecision;

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
  /// `null` where no norm was asked for.
  private NormDecision decision;

  private int preparedParameters;

  StepReport() {}

  /// Whether the step changed nothing because a gradient was infinite or no number.
  public boolean skipped() {
    return decision != null && decision.skips();
  }

  /// The norm of all gradients together, scaled and not yet clipped. NaN if it was not asked for,
  /// by a norm to clip to or by skipping what is not finite.
  public double norm() {
    return decision == null ? Double.NaN : decision.norm();
  }

  /// What gradients were multiplied with to have the norm that they are clipped to; 1 if they were
  /// not too large. NaN or 0 if the norm is NaN or infinite, and the step was not skipped for it.
  public double clipFactor() {
    return decision == null ? 1 : decision.clipFactor();
  }

  /// How many parameters had a gradient and were updated.
  public int updatedParameters() {
    return skipped() ? 0 : preparedParameters;
  }

  /// Whether the step is known to have been skipped, without waiting for a GPU.
  boolean isKnownSkipped() {
    return decision != null && decision.isOnHost() && decision.skips();
  }

  /// Whether only a GPU knows as yet what became of the step.
  boolean isPending() {
    return decision != null && !decision.isOnHost();
  }

  void begin() {
    decision = null;
    preparedParameters = 0;
  }

  void judgedBy(NormDecision decision) {
    this.decision = decision;
  }

  void updated(int parameters) {
    preparedParameters += parameters;
  }

  @Override
  public String toString() {
    if (decision == null) {
      return "StepReport[" + preparedParameters + " parameters]";
    }
    return skipped()
        ? "StepReport[skipped: a gradient is not finite]"
        : "StepReport[%s parameters, norm %s, clip factor %s]"
            .formatted(updatedParameters(), norm(), clipFactor());
  }
}
