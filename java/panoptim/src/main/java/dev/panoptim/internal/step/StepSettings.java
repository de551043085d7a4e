package dev.panoptim.internal.step;

/// What steps do beside the update. The caller has checked the values.
///
/// Mutable: a step uses the values that it finds. Not thread-safe.
public final class StepSettings {
  /// The factor of all gradients, above 0.
  public double gradientScale = 1;

  /// The largest norm of all gradients together, above 0; infinite for no limit.
  public double clipGradNorm = Double.POSITIVE_INFINITY;

  /// The largest absolute value of a scaled gradient, above 0; infinite for no limit.
  public double clipGradValue = Double.POSITIVE_INFINITY;

  /// The largest norm of a row of a scaled gradient, as a part of the norm of the parameter's row,
  /// above 0; infinite for no limit.
  public double clipGradAdaptive = Double.POSITIVE_INFINITY;

  /// The least norm of a parameter's row for [#clipGradAdaptive], 0 or more.
  public double clipGradAdaptiveEpsilon = 1e-3;

  /// Whether a step changes nothing if a gradient is not finite.
  public boolean skipNonFinite;

  /// Whether gradients are 0 after a step.
  public boolean zeroGrad;

  public StepSettings() {}

  /// Whether all gradients must be read before one is used.
  boolean needsNorm() {
    return skipNonFinite || clipGradNorm < Double.POSITIVE_INFINITY;
  }

  /// Whether rows of gradients are clipped before all else.
  boolean clipsAdaptively() {
    return clipGradAdaptive < Double.POSITIVE_INFINITY;
  }

  /// Checks that a step needs the gradients of its own parameters only.
  ///
  /// @throws IllegalStateException if it needs those of all parameters
  void requirePartialSteps() {
    if (clipGradNorm < Double.POSITIVE_INFINITY) {
      throw new IllegalStateException(
          "clipGradNorm is %s, but a step of some parameters cannot clip to the norm of all gradients"
              .formatted(clipGradNorm));
    }
    if (skipNonFinite) {
      throw new IllegalStateException(
          "skipNonFinite is set, but a step of some parameters does not know whether the gradients"
              + " of all parameters are finite");
    }
  }

  /// Copies all values of another object.
  public void set(StepSettings other) {
    gradientScale = other.gradientScale;
    clipGradNorm = other.clipGradNorm;
    clipGradValue = other.clipGradValue;
    clipGradAdaptive = other.clipGradAdaptive;
    clipGradAdaptiveEpsilon = other.clipGradAdaptiveEpsilon;
    skipNonFinite = other.skipNonFinite;
    zeroGrad = other.zeroGrad;
  }
}
