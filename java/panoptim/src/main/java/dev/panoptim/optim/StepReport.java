package dev.panoptim.optim;

import dev.panoptim.backend.Verdict;
import dev.panoptim.device.CudaException;

/// What a step did. There is one for each optimizer, which the next step writes anew: to keep a
/// number, copy it. After a step that threw, it says that nothing was updated, or what was until
/// then.
///
/// On a graphics card, norm, clip factor and whether the step was skipped are known once the card
/// has come so far: these methods wait for it, and throw a [CudaException] if something failed
/// there. Of the last step before [Optimizer#close()] they know it without waiting.
///
/// Not thread-safe: for the thread that steps, which may hand on the numbers.
public final class StepReport {
  /// `null` where no norm was asked for.
  private Verdict verdict;

  private int preparedParameters;

  StepReport() {}

  /// Whether the step changed nothing because a gradient was infinite or no number.
  public boolean skipped() {
    return verdict != null && verdict.skips();
  }

  /// The norm of all gradients together, scaled and not yet clipped. NaN if it was not asked for,
  /// by a norm to clip to or by skipping what is not finite.
  public double norm() {
    return verdict == null ? Double.NaN : verdict.norm();
  }

  /// What gradients were multiplied with to have the norm that they are clipped to; 1 if they were
  /// not too large. NaN or 0 if the norm is NaN or infinite, and the step was not skipped for it.
  public double clipFactor() {
    return verdict == null ? 1 : verdict.clipFactor();
  }

  /// How many parameters had a gradient and were updated.
  public int updatedParameters() {
    return skipped() ? 0 : preparedParameters;
  }

  /// Whether the step is known to have been skipped, without waiting for a card.
  boolean isKnownSkipped() {
    return verdict != null && verdict.isKnown() && verdict.skips();
  }

  /// Whether only a card knows as yet what became of the step.
  boolean isPending() {
    return verdict != null && !verdict.isKnown();
  }

  void begin() {
    verdict = null;
    preparedParameters = 0;
  }

  void judgedBy(Verdict verdict) {
    this.verdict = verdict;
  }

  void updated(int parameters) {
    preparedParameters += parameters;
  }

  @Override
  public String toString() {
    if (verdict == null) {
      return "StepReport[" + preparedParameters + " parameters]";
    }
    return skipped()
        ? "StepReport[skipped: a gradient is not finite]"
        : "StepReport[%s parameters, norm %s, clip factor %s]"
            .formatted(updatedParameters(), norm(), clipFactor());
  }
}
