package dev.panoptim.optim;

/// What a step did. There is one for each optimizer, which the next step writes anew: to keep a
/// number, copy it. After a step that threw, it says that nothing was updated, or what was until
/// then.
///
/// Not thread-safe.
public final class StepReport {
  private boolean skipped;
  private double norm = Double.NaN;
  private double clipFactor = 1;
  private int updatedParameters;

  StepReport() {}

  /// Whether the step changed nothing because a gradient was infinite or no number.
  public boolean skipped() {
    return skipped;
  }

  /// The norm of all gradients together, scaled and not yet clipped. NaN if it was not asked for,
  /// by a norm to clip to or by skipping what is not finite.
  public double norm() {
    return norm;
  }

  /// What gradients were multiplied with to have the norm that they are clipped to; 1 if they were
  /// not too large. NaN or 0 if the norm is NaN or infinite, and the step was not skipped for it.
  public double clipFactor() {
    return clipFactor;
  }

  /// How many parameters had a gradient and were updated.
  public int updatedParameters() {
    return updatedParameters;
  }

  void begin() {
    skipped = false;
    norm = Double.NaN;
    clipFactor = 1;
    updatedParameters = 0;
  }

  void measured(double norm, double clipFactor) {
    this.norm = norm;
    this.clipFactor = clipFactor;
  }

  void skip() {
    skipped = true;
  }

  void updated(int parameters) {
    updatedParameters += parameters;
  }

  @Override
  public String toString() {
    return skipped
        ? "StepReport[skipped: a gradient is not finite]"
        : "StepReport[%d parameters, norm %s, clip factor %s]"
            .formatted(updatedParameters, norm, clipFactor);
  }
}
