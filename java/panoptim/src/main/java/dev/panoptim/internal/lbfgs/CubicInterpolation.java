package dev.panoptim.internal.lbfgs;

/// The minimum of the cubic through two points with their slopes (Nocedal and Wright, Numerical
/// Optimization, 2006, equation 3.59).
///
/// Thread-safe.
final class CubicInterpolation {
  private CubicInterpolation() {}

  /// @return the place of the minimum, moved into `[least, most]`; the middle of this interval if
  ///   the cubic has no minimum or a value is not finite
  static double minimum(Point one, Point two, double least, double most) {
    Point left = one.t() <= two.t() ? one : two;
    Point right = one.t() <= two.t() ? two : one;
    double bend = one.slope() + two.slope() - 3 * (one.loss() - two.loss()) / (one.t() - two.t());
    double square = bend * bend - one.slope() * two.slope();
    if (!(square >= 0)) {
      return (least + most) / 2;
    }
    double root = Math.sqrt(square);
    double place =
        right.t()
            - (right.t() - left.t())
                * ((right.slope() + root - bend) / (right.slope() - left.slope() + 2 * root));
    return Double.isFinite(place) ? Math.min(Math.max(place, least), most) : (least + most) / 2;
  }
}
