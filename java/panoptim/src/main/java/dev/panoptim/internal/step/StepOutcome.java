package dev.panoptim.internal.step;

/// What the last step did. On a GPU, methods that need the norm wait for it.
///
/// Not thread-safe.
public final class StepOutcome {
  /// `null` if no norm was taken.
  private NormDecision decision;

  private int preparedParameters;

  StepOutcome() {}

  /// Whether the norm of all gradients was taken.
  public boolean hasNorm() {
    return decision != null;
  }

  /// Whether the step changed nothing because a gradient was not finite.
  public boolean skipped() {
    return decision != null && decision.skips();
  }

  /// The norm of all gradients together, scaled and not clipped; NaN if it was not taken.
  public double norm() {
    return decision == null ? Double.NaN : decision.norm();
  }

  /// The factor that clipped gradients to the largest norm; 1 if they were not clipped.
  public double clipFactor() {
    return decision == null ? 1 : decision.clipFactor();
  }

  /// The number of parameters that had a gradient and were updated.
  public int updatedParameters() {
    return skipped() ? 0 : preparedParameters;
  }

  /// Whether the step is known to have been skipped, without waiting for a GPU.
  boolean isKnownSkipped() {
    return decision != null && decision.isOnHost() && decision.skips();
  }

  /// Whether only a GPU knows yet what became of the step.
  boolean isPending() {
    return decision != null && !decision.isOnHost();
  }

  void begin() {
    decision = null;
    preparedParameters = 0;
  }

  void decidedBy(NormDecision decision) {
    this.decision = decision;
  }

  void updated(int parameters) {
    preparedParameters += parameters;
  }
}
