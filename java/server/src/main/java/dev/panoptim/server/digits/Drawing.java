package dev.panoptim.server.digits;

import java.util.List;
import java.util.function.UnaryOperator;

/// Strokes of a pen. x grows to the right and y downwards.
///
/// Immutable.
public record Drawing(List<Stroke> strokes) {
  public static final int MOST_STROKES = 64;
  public static final int MOST_POINTS = 2000;

  /// @throws IllegalArgumentException if there is no stroke, or too many strokes or points
  public Drawing {
    strokes = List.copyOf(strokes);
    if (strokes.isEmpty() || strokes.size() > MOST_STROKES) {
      throw new IllegalArgumentException(
          "a drawing has %s strokes, but must have from 1 to %s"
              .formatted(strokes.size(), MOST_STROKES));
    }
    int points = strokes.stream().mapToInt(each -> each.points().size()).sum();
    if (points > MOST_POINTS) {
      throw new IllegalArgumentException(
          "a drawing has %s points, but must have at most %s".formatted(points, MOST_POINTS));
    }
  }

  /// The same strokes with other points.
  Drawing map(UnaryOperator<Point> change) {
    return new Drawing(
        strokes.stream()
            .map(stroke -> new Stroke(stroke.points().stream().map(change).toList()))
            .toList());
  }

  /// The corners of a polyline; a single point is a dot.
  public record Stroke(List<Point> points) {
    /// @throws IllegalArgumentException if there is no point
    public Stroke {
      points = List.copyOf(points);
      if (points.isEmpty()) {
        throw new IllegalArgumentException("a stroke has no points, but must have at least 1");
      }
    }
  }

  /// A place on the paper.
  public record Point(double x, double y) {
    /// @throws IllegalArgumentException if a coordinate is not finite
    public Point {
      if (!Double.isFinite(x) || !Double.isFinite(y)) {
        throw new IllegalArgumentException(
            "a point is (%s, %s), but must have finite coordinates".formatted(x, y));
      }
    }

    double distance(Point other) {
      return Math.hypot(x - other.x, y - other.y);
    }
  }
}
