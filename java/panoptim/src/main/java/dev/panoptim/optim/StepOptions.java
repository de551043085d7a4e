package dev.panoptim.optim;

import dev.panoptim.internal.step.StepSettings;

/// What steps do beside the update, in the same pass over memory: nothing, unless it is asked for.
///
/// In this order: a step whose gradients, as they are, are not all finite may be skipped; gradients
/// are multiplied by [#gradientScale], clipped to a norm, which is that over all parameters of all
/// groups, then to a value; weight decay and the update follow. Gradients themselves stay as they
/// are, or become 0.
///
/// Changes take effect at the next step. Not thread-safe: for the thread that steps, between two
/// steps or in a hook.
public final class StepOptions {
  private final StepSettings settings = new StepSettings();

  StepOptions() {}

  /// The values, for the steps that use them.
  StepSettings settings() {
    return settings;
  }

  /// 1, unless it was changed.
  public double gradientScale() {
    return settings.gradientScale;
  }

  /// @param value what gradients are multiplied with, such as the inverse of a loss's scale: a
  ///   number above 0 that a float can hold
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

  /// Gradients whose norm, that of all of them together, is larger are made so much smaller that it
  /// is this. A norm that is NaN makes all of them NaN, as in PyTorch, unless [#skipNonFinite] is
  /// set.
  ///
  /// @param value a number above 0, infinite for no such limit
  /// @throws IllegalArgumentException if it is not
  public StepOptions clipGradNorm(double value) {
    settings.clipGradNorm = requirePositive("clipGradNorm", value);
    return this;
  }

  /// Infinite, unless it was changed.
  public double clipGradValue() {
    return settings.clipGradValue;
  }

  /// Each element of a gradient is kept from `-value` to `value`.
  ///
  /// @param value a number above 0, infinite for no such limit
  /// @throws IllegalArgumentException if it is not
  public StepOptions clipGradValue(double value) {
    settings.clipGradValue = requirePositive("clipGradValue", value);
    return this;
  }

  /// False, unless it was changed.
  public boolean skipNonFinite() {
    return settings.skipNonFinite;
  }

  /// Whether a step changes nothing, no parameter, state or step count, if a gradient is infinite
  /// or no number; [StepReport#skipped] says so.
  public StepOptions skipNonFinite(boolean value) {
    settings.skipNonFinite = value;
    return this;
  }

  /// False, unless it was changed.
  public boolean zeroGrad() {
    return settings.zeroGrad;
  }

  /// Whether gradients are 0 after a step, a skipped one too.
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
