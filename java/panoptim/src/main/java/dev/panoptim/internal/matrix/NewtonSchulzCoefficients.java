package dev.panoptim.internal.matrix;

import java.util.List;

/// The coefficients of the steps of [NewtonSchulz].
///
/// Immutable and thread-safe.
///
/// @param steps the coefficients of each step; further steps have the last ones
public record NewtonSchulzCoefficients(List<Step> steps) {
  /// A step maps each singular value s to a * s + b * s^3 + c * s^5.
  ///
  /// Immutable and thread-safe.
  public record Step(double a, double b, double c) {
    /// @throws IllegalArgumentException if a coefficient is not finite as a float
    public Step {
      requireFinite("a", a);
      requireFinite("b", b);
      requireFinite("c", c);
    }

    private static void requireFinite(String name, double value) {
      if (!Float.isFinite((float) value)) {
        throw new IllegalArgumentException(
            name + " is " + value + ", but must be finite as a float");
      }
    }
  }

  /// The one triple of [Muon](https://kellerjordan.github.io/posts/muon/), which `torch.optim.Muon`
  /// has too. Five steps take singular values from 0.002 to 1 into the range from 0.68 to 1.21.
  public static final NewtonSchulzCoefficients ORIGINAL =
      new NewtonSchulzCoefficients(List.of(new Step(3.4445, -4.7750, 2.0315)));

  /// Five steps that were [optimized together](https://leloykun.github.io/ponder/muon-opt-coeffs/).
  public static final NewtonSchulzCoefficients QUINTIC =
      new NewtonSchulzCoefficients(
          List.of(
              new Step(4.0848, -6.8946, 2.9270),
              new Step(3.9505, -6.3029, 2.6377),
              new Step(3.7418, -5.5913, 2.3037),
              new Step(2.8769, -3.1427, 1.2046),
              new Step(2.8366, -3.0525, 1.2012)));

  /// [Polar Express](https://arxiv.org/abs/2505.16932), with a safety of 0.01: singular values
  /// converge to 1. The last triple is the limit.
  public static final NewtonSchulzCoefficients POLAR_EXPRESS =
      new NewtonSchulzCoefficients(
          List.of(
              new Step(8.237312490495555, -23.157747414558198, 16.680568411445915),
              new Step(4.082441999064835, -2.893047735332586, 0.5252849256975648),
              new Step(3.9263479922546582, -2.8547468034765298, 0.5318022422894988),
              new Step(3.2982187133085143, -2.424541981026706, 0.48632008358844075),
              new Step(2.2970369434552573, -1.63662558125903, 0.4002628455953627),
              new Step(1.8763805351440397, -1.2347896577722228, 0.35891887501668385),
              new Step(1.8564423485617974, -1.2132449880935525, 0.3568003487825883),
              new Step(1.8749994008682747, -1.2499988017229169, 0.3749994008546422)));

  /// [Polar Express](https://arxiv.org/abs/2505.16932), with a safety of 0.02.
  public static final NewtonSchulzCoefficients POLAR_EXPRESS_SAFER =
      new NewtonSchulzCoefficients(
          List.of(
              new Step(8.156554524902461, -22.48329292557795, 15.878769915207462),
              new Step(4.0429299351667245, -2.808917465908704, 0.5000178451051299),
              new Step(3.8916678022926563, -2.7724841532176825, 0.5060648178503389),
              new Step(3.285753657755658, -2.3681294933425394, 0.46449024233003117),
              new Step(2.3005307116270983, -1.6111665557258408, 0.3833374427545273),
              new Step(1.8631210546382593, -1.2042160621002727, 0.3421879560523383),
              new Step(1.8382572152247512, -1.1779263289537742, 0.3396513038637379),
              new Step(1.8749999923301852, -1.2499999836060613, 0.374999991275876)));

  /// @throws IllegalArgumentException if there is no step
  public NewtonSchulzCoefficients {
    steps = List.copyOf(steps);
    if (steps.isEmpty()) {
      throw new IllegalArgumentException("steps is empty, but must have at least one step");
    }
  }

  /// The coefficients of a step.
  ///
  /// @param index of the step, from 0 on
  public Step at(int index) {
    return steps.get(Math.min(index, steps.size() - 1));
  }
}
