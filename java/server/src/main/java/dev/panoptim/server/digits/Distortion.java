package dev.panoptim.server.digits;

import dev.panoptim.server.digits.Drawing.Point;

/// A linear map around the middle of the unit square: slant, then stretch, then rotation.
///
/// @param angle of the rotation in radians, clockwise
/// @param slant how far the top moves to the right, in heights
/// @param stretch the factor of widths
record Distortion(double angle, double slant, double stretch) {
  static final Distortion NONE = new Distortion(0, 0, 1);

  Point apply(Point point) {
    double y = point.y() - 0.5;
    double x = (point.x() - 0.5 - slant * y) * stretch;
    double cos = Math.cos(angle);
    double sin = Math.sin(angle);
    return new Point(0.5 + cos * x - sin * y, 0.5 + sin * x + cos * y);
  }
}
