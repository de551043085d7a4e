package dev.panoptim.server.digits;

import dev.panoptim.server.digits.Drawing.Point;
import dev.panoptim.server.digits.Drawing.Stroke;
import java.util.List;

/// Makes images of drawings, placed as in the MNIST data set: the longer side is scaled to 20
/// pixels, and the centre of mass lies in the middle of 28 by 28 pixels, unless the drawing would
/// reach over the edge.
public final class Raster {
  /// Pixels of a side.
  public static final int SIDE = 28;

  public static final int PIXELS = SIDE * SIDE;

  /// The thickness of the lines of a drawing whose pen is not known, in pixels.
  public static final double USUAL_THICKNESS = 2.2;

  private static final double BOX = 20;

  /// Pixels between a drawing and the edge; lines are this thick beyond their middle.
  private static final double MARGIN = 2;

  /// Smaller drawings are not enlarged to the whole box: a dot stays a dot.
  private static final double LEAST_EXTENT = 0.05;

  private Raster() {}

  /// @param thickness of the lines, in pixels
  /// @return grey values from 0 (paper) to 1 (ink), row by row
  public static float[] pixels(Drawing drawing, double thickness) {
    Box box = Box.around(drawing);
    double scale = BOX / Math.max(LEAST_EXTENT, Math.max(box.width(), box.height()));
    Point centre = centre(drawing);
    Point place =
        new Point(
            place(centre.x(), box.left(), box.right(), scale),
            place(centre.y(), box.top(), box.bottom(), scale));
    float[] image = new float[PIXELS];
    for (Stroke stroke : drawing.strokes()) {
      List<Point> points = stroke.points();
      Point from = placed(points.getFirst(), place, scale);
      ink(image, from, from, thickness / 2);
      for (int i = 1; i < points.size(); i++) {
        Point to = placed(points.get(i), place, scale);
        ink(image, from, to, thickness / 2);
        from = to;
      }
    }
    return image;
  }

  private record Box(double left, double right, double top, double bottom) {
    static Box around(Drawing drawing) {
      double left = Double.POSITIVE_INFINITY;
      double right = Double.NEGATIVE_INFINITY;
      double top = Double.POSITIVE_INFINITY;
      double bottom = Double.NEGATIVE_INFINITY;
      for (Stroke stroke : drawing.strokes()) {
        for (Point point : stroke.points()) {
          left = Math.min(left, point.x());
          right = Math.max(right, point.x());
          top = Math.min(top, point.y());
          bottom = Math.max(bottom, point.y());
        }
      }
      return new Box(left, right, top, bottom);
    }

    double width() {
      return right - left;
    }

    double height() {
      return bottom - top;
    }
  }

  /// Where the origin of a coordinate lies, in pixels.
  private static double place(double centre, double least, double most, double scale) {
    double wanted = SIDE / 2.0 - centre * scale;
    double smallest = MARGIN - least * scale;
    double largest = SIDE - MARGIN - most * scale;
    return Math.clamp(wanted, smallest, largest);
  }

  /// The centre of mass of the lines.
  private static Point centre(Drawing drawing) {
    double x = 0;
    double y = 0;
    double mass = 0;
    for (Stroke stroke : drawing.strokes()) {
      Point from = stroke.points().getFirst();
      for (Point to : stroke.points()) {
        // A dot has no length, but some mass.
        double length = from.distance(to) + 1e-6;
        x += length * (from.x() + to.x()) / 2;
        y += length * (from.y() + to.y()) / 2;
        mass += length;
        from = to;
      }
    }
    return new Point(x / mass, y / mass);
  }

  private static Point placed(Point point, Point place, double scale) {
    return new Point(place.x() + point.x() * scale, place.y() + point.y() * scale);
  }

  /// Darkens the pixels near a line.
  private static void ink(float[] image, Point from, Point to, double radius) {
    double reach = radius + 1;
    int firstColumn = column(Math.min(from.x(), to.x()) - reach);
    int lastColumn = column(Math.max(from.x(), to.x()) + reach);
    int firstRow = column(Math.min(from.y(), to.y()) - reach);
    int lastRow = column(Math.max(from.y(), to.y()) + reach);
    for (int row = firstRow; row <= lastRow; row++) {
      for (int column = firstColumn; column <= lastColumn; column++) {
        double away = distance(column + 0.5, row + 0.5, from, to);
        float grey = (float) Math.clamp(radius + 0.5 - away, 0, 1);
        int at = row * SIDE + column;
        image[at] = Math.max(image[at], grey);
      }
    }
  }

  private static int column(double place) {
    return (int) Math.clamp(Math.floor(place), 0, SIDE - 1);
  }

  private static double distance(double x, double y, Point from, Point to) {
    double dx = to.x() - from.x();
    double dy = to.y() - from.y();
    double square = dx * dx + dy * dy;
    double along =
        square == 0 ? 0 : Math.clamp(((x - from.x()) * dx + (y - from.y()) * dy) / square, 0, 1);
    return Math.hypot(x - from.x() - along * dx, y - from.y() - along * dy);
  }
}
