package dev.panoptim.internal.matrix;

import java.util.Arrays;

/// Singular values in double, by one-sided Jacobi rotations: see Golub and Van Loan, Matrix
/// Computations, 8.6.3.
final class SingularValues {
  private static final int MOST_SWEEPS = 60;
  private static final double ORTHOGONAL = 1e-15;

  private SingularValues() {}

  /// @param matrix its rows
  /// @return as many as the smaller dimension, in ascending order
  static double[] of(double[][] matrix) {
    // The rows of the wider form are made orthogonal; their norms are then the singular values.
    double[][] rows = matrix.length <= matrix[0].length ? copy(matrix) : transposed(matrix);
    boolean rotated = true;
    for (int sweep = 0; rotated && sweep < MOST_SWEEPS; sweep++) {
      rotated = false;
      for (int i = 0; i < rows.length; i++) {
        for (int j = i + 1; j < rows.length; j++) {
          rotated |= rotate(rows[i], rows[j]);
        }
      }
    }
    if (rotated) {
      throw new IllegalStateException("no convergence in " + MOST_SWEEPS + " sweeps");
    }
    return Arrays.stream(rows).mapToDouble(each -> Math.sqrt(dot(each, each))).sorted().toArray();
  }

  private static boolean rotate(double[] x, double[] y) {
    double xx = dot(x, x);
    double yy = dot(y, y);
    double xy = dot(x, y);
    if (Math.abs(xy) <= ORTHOGONAL * Math.sqrt(xx * yy)) {
      return false;
    }
    double zeta = (yy - xx) / (2 * xy);
    double tangent = Math.copySign(1, zeta) / (Math.abs(zeta) + Math.hypot(1, zeta));
    double cosine = 1 / Math.hypot(1, tangent);
    double sine = cosine * tangent;
    for (int k = 0; k < x.length; k++) {
      double before = x[k];
      x[k] = cosine * before - sine * y[k];
      y[k] = sine * before + cosine * y[k];
    }
    return true;
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  private static double[][] copy(double[][] matrix) {
    return Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
  }

  static double[][] transposed(double[][] matrix) {
    double[][] transposed = new double[matrix[0].length][matrix.length];
    for (int i = 0; i < matrix.length; i++) {
      for (int j = 0; j < matrix[0].length; j++) {
        transposed[j][i] = matrix[i][j];
      }
    }
    return transposed;
  }
}
