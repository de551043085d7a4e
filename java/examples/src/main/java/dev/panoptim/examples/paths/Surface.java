package dev.panoptim.examples.paths;

import java.util.ArrayList;
import java.util.List;

/// A function of two variables for optimizers to minimize.
enum Surface {
  /// `(1 - x)^2 + 100 (y - x^2)^2`: a curved ravine whose floor falls slowly towards (1, 1).
  ROSENBROCK("Rosenbrock's ravine", -1.6, 1.6, -0.6, 2.4, -0.4, 2.1) {
    @Override
    double value(double x, double y) {
      return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x);
    }

    @Override
    double[] gradient(double x, double y) {
      return new double[] {-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)};
    }

    @Override
    double[] levels() {
      return new double[] {0.5, 4, 20, 100, 400};
    }

    @Override
    double[] yAt(double x, double level) {
      double rest = level - (1 - x) * (1 - x);
      double height = Math.sqrt(rest / 100);
      return rest < 0 ? new double[0] : new double[] {x * x + height, x * x - height};
    }
  },

  /// `x^2 - y^2`: flat at (0, 0), and falling to both sides along y.
  SADDLE("A saddle", -1.6, 1.6, -1.6, 1.6, -1.4, 1e-2) {
    @Override
    double value(double x, double y) {
      return x * x - y * y;
    }

    @Override
    double[] gradient(double x, double y) {
      return new double[] {2 * x, -2 * y};
    }

    @Override
    double[] levels() {
      return new double[] {-1.5, -0.75, -0.25, -0.02, 0.02, 0.25, 0.75, 1.5};
    }

    @Override
    double[] yAt(double x, double level) {
      double square = x * x - level;
      return square < 0 ? new double[0] : new double[] {Math.sqrt(square), -Math.sqrt(square)};
    }
  };

  final String title;
  final double left;
  final double right;
  final double bottom;
  final double top;
  final double startX;
  final double startY;

  Surface(
      String title,
      double left,
      double right,
      double bottom,
      double top,
      double startX,
      double startY) {
    this.title = title;
    this.left = left;
    this.right = right;
    this.bottom = bottom;
    this.top = top;
    this.startX = startX;
    this.startY = startY;
  }

  abstract double value(double x, double y);

  abstract double[] gradient(double x, double y);

  /// The values at which level lines are drawn.
  abstract double[] levels();

  /// The two values of y at which the function of `x` and y has a level; empty if there are none.
  abstract double[] yAt(double x, double level);

  boolean contains(double x, double y) {
    return x >= left && x <= right && y >= bottom && y <= top;
  }

  /// The lines of a level, each as a list of points inside the chart.
  List<List<double[]>> lines(double level) {
    List<List<double[]>> lines = new ArrayList<>();
    for (int branch = 0; branch < 2; branch++) {
      List<double[]> line = new ArrayList<>();
      for (int i = 0; i <= 800; i++) {
        double x = left + (right - left) * i / 800;
        double[] y = yAt(x, level);
        if (y.length > branch && contains(x, y[branch])) {
          line.add(new double[] {x, y[branch]});
        } else if (!line.isEmpty()) {
          lines.add(line);
          line = new ArrayList<>();
        }
      }
      if (!line.isEmpty()) {
        lines.add(line);
      }
    }
    return lines;
  }
}
