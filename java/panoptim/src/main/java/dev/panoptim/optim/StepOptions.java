package dev.panoptim.optim;

import dev.panoptim.internal.step.StepSettings;

/// Optional work of steps beside the update, in the same pass over memory.
///
/// The order is: rows of gradients are clipped adaptively; a step whose unscaled gradients are not
/// all finite may be skipped; gradients are multiplied by [#gradientScale], clipped to a norm over
/// all parameters of all groups, then to a value; weight decay and the update follow. The gradients
/// in memory stay unchanged, or are set to 0; only [#clipGradAdaptive] changes them.
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

  /// Infinite, unless it was changed.
  public double clipGradAdaptive() {
    return settings.clipGradAdaptive;
  }

  /// As [#clipGradAdaptive(double, double)], with an epsilon of 1e-3.
  public StepOptions clipGradAdaptive(double value) {
    return clipGradAdaptive(value, 1e-3);
  }

  /// Limits the norm of each row of a scaled gradient to a part of the norm of the same row of the
  /// parameter: multiplies the row by `min(1, value * max(norm of the parameter's row, epsilon) /
  /// norm of the gradient's row)`. The first extent of a shape counts rows; a parameter of less
  /// than two dimensions is one row. Usual values are from 0.01 to 0.16.
  ///
  /// This is a pass of its own, which changes the gradients in memory. A NaN makes its row NaN, and
  /// an infinity too, but for elements that become 0. A read-only gradient makes the step throw an
  /// [IllegalArgumentException], and a backend of a GPU an [IllegalStateException].
  /// [Optimizer#updateHessian()] does not clip.
  ///
  /// Source: [Brock and others 2021](https://arxiv.org/abs/2102.06171).
  ///
  /// @param value a number above 0, infinite for no limit
  /// @param epsilon the least norm of a parameter's row, a finite number of 0 or more
  /// @throws IllegalArgumentException if one is not
  public StepOptions clipGradAdaptive(double value, double epsilon) {
    if (!(epsilon >= 0 && epsilon < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "epsilon is " + epsilon + ", but must be 0 or more and finite");
    }
    settings.clipGradAdaptive = requirePositive("clipGradAdaptive", value);
    settings.clipGradAdaptiveEpsilon = epsilon;
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
