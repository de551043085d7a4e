package dev.panoptim.internal.matrix;

/// The iteration of [NewtonSchulz] in double, for tests.
final class DoubleNewtonSchulz {
  private DoubleNewtonSchulz() {}

  /// @param matrix its rows
  static double[][] orthogonalized(
      double[][] matrix, NewtonSchulzCoefficients coefficients, int steps) {
    if (matrix.length > matrix[0].length) {
      return SingularValues.transposed(
          orthogonalized(SingularValues.transposed(matrix), coefficients, steps));
    }
    double squares = 0;
    for (double[] row : matrix) {
      for (double each : row) {
        squares += each * each;
      }
    }
    double[][] x = sum(1 / Math.max(Math.sqrt(squares), 1e-7), matrix, 0, matrix);
    for (int i = 0; i < steps; i++) {
      NewtonSchulzCoefficients.Step step = coefficients.at(i);
      double[][] a = product(x, SingularValues.transposed(x));
      double[][] b = sum(step.b(), a, step.c(), product(a, a));
      x = sum(step.a(), x, 1, product(b, x));
    }
    return x;
  }

  private static double[][] product(double[][] left, double[][] right) {
    double[][] product = new double[left.length][right[0].length];
    for (int i = 0; i < left.length; i++) {
      for (int k = 0; k < right.length; k++) {
        for (int j = 0; j < right[0].length; j++) {
          product[i][j] += left[i][k] * right[k][j];
        }
      }
    }
    return product;
  }

  /// a * x + b * y
  private static double[][] sum(double a, double[][] x, double b, double[][] y) {
    double[][] sum = new double[x.length][x[0].length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x[0].length; j++) {
        sum[i][j] = a * x[i][j] + b * y[i][j];
      }
    }
    return sum;
  }
}
