package dev.panoptim.optim;

import dev.panoptim.internal.step.StepSettings;

/// Optional work of steps beside the update, in the same pass over memory.
///
/// The order is: a step whose unscaled gradients are not all finite may be skipped; gradients are
/// multiplied by [#gradientScale], clipped to a norm over all parameters of all groups, then to a
/// value; weight decay and the update follow. The gradients in memory stay unchanged, or are set to
/// 0.
///
/// Changes take effect at the next step. Not thread-safe: for the thread that steps, between two
/// steps or in a hook.
public final class StepOptions {
  private final StepSettings settings = new StepSettings();

  StepOptions() {}

  /// The values of the options.
  StepSettings settings() {
    return settings;
  }

  /// The factor of gradients. The default is 1.
  public double gradientScale() {
    return settings.gradientScale;
  }

  /// @param value the factor of gradients, such as the inverse of a loss's scale: a number above 0
  ///   in the range of a float
  /// @throws IllegalArgumentException if it is not
  public StepOptions gradientScale(double value) {
    if (!(value >= Float.MIN_VALUE && value <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException(
          "gradientScale is %s, but must be a number from %s to %s"
              .formatted(value, Float.MIN_VALUE, Float.MAX_VALUE));
    }
    settings.gradientScale = value;
    return this;
  }

  /// Infinite, unless it was changed.
  public double clipGradNorm() {
    return settings.clipGradNorm;
  }

  /// Scales gradients down so that their common norm is `value`, if it is larger. A NaN norm makes
  /// all gradients NaN, as in PyTorch, unless [#skipNonFinite] is set. A step of some parameters
  /// throws an [IllegalStateException] if there is a limit.
  ///
  /// @param value a number above 0, infinite for no limit
  /// @throws IllegalArgumentException if it is not
  public StepOptions clipGradNorm(double value) {
    settings.clipGradNorm = requirePositive("clipGradNorm", value);
    return this;
  }

  /// Infinite, unless it was changed.
  public double clipGradValue() {
    return settings.clipGradValue;
  }

  /// Clamps each element of a gradient to `[-value, value]`.
  ///
  /// @param value a number above 0, infinite for no limit
  /// @throws IllegalArgumentException if it is not
  public StepOptions clipGradValue(double value) {
    settings.clipGradValue = requirePositive("clipGradValue", value);
    return this;
  }

  /// False, unless it was changed.
  public boolean skipNonFinite() {
    return settings.skipNonFinite;
  }

  /// Whether a step changes no parameter, state or step count if a gradient is infinite or NaN;
  /// then [StepReport#skipped] is `true`. A step of some parameters throws an
  /// [IllegalStateException] if this is set.
  public StepOptions skipNonFinite(boolean value) {
    settings.skipNonFinite = value;
    return this;
  }

  /// False, unless it was changed.
  public boolean zeroGrad() {
    return settings.zeroGrad;
  }

  /// Whether a step, including a skipped one, sets gradients to 0.
  public StepOptions zeroGrad(boolean value) {
    settings.zeroGrad = value;
    return this;
  }

  private static double requirePositive(String name, double value) {
    if (!(value > 0)) {
      throw new IllegalArgumentException(name + " is " + value + ", but must be above 0");
    }
    return value;
  }
}
