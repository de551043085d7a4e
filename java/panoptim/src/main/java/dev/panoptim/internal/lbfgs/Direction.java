package dev.panoptim.internal.lbfgs;

import dev.panoptim.internal.vector.VectorOperations;
import java.lang.foreign.MemorySegment;

/// The direction of L-BFGS: the two loops over the history (Nocedal 1980, Updating quasi-Newton
/// matrices with limited storage).
///
/// Not thread-safe.
public final class Direction {
  /// Pairs with a smaller product of step and change are not kept.
  private static final double LEAST_CURVATURE = 1e-10;

  private final LbfgsVectors vectors;
  private final VectorOperations operations;

  /// The products of the first loop, for the second one.
  private double[] products = new double[0];

  public Direction(LbfgsVectors vectors, VectorOperations operations) {
    this.vectors = vectors;
    this.operations = operations;
  }

  /// Adds the pair of the last step to the history, if its curvature is positive. Overwrites the
  /// vectors `start` and `spare`.
  ///
  /// @param t the last step, in lengths of the direction
  /// @param scale the present scale of the first inverse Hessian
  /// @return its new scale
  /// @throws OutOfMemoryError as [LbfgsVectors#addPair]
  public double addPair(double t, double scale) {
    MemorySegment change = vectors.spare();
    MemorySegment step = vectors.start();
    operations.add(-1, vectors.previous(), vectors.gradient(), change);
    operations.scale((float) t, vectors.direction(), step);
    double product = operations.dot(change, step);
    double square = operations.dot(change, change);
    if (!(product > LEAST_CURVATURE && Double.isFinite(product) && Double.isFinite(square))) {
      return scale;
    }
    vectors.addPair(1 / product);
    return product / square;
  }

  /// Computes the direction from the gradient and the history.
  ///
  /// @param scale of the first inverse Hessian
  public void compute(double scale) {
    MemorySegment d = vectors.direction();
    int count = vectors.pairs();
    if (products.length < count) {
      products = new double[count];
    }
    operations.scale(-1, vectors.gradient(), d);
    for (int i = count - 1; i >= 0; i--) {
      Pair pair = vectors.pair(i);
      products[i] = operations.dot(pair.step(), d) * pair.inverse();
      operations.add((float) -products[i], pair.change(), d, d);
    }
    if (scale != 1) {
      operations.scale((float) scale, d, d);
    }
    for (int i = 0; i < count; i++) {
      Pair pair = vectors.pair(i);
      double product = operations.dot(pair.change(), d) * pair.inverse();
      operations.add((float) (products[i] - product), pair.step(), d, d);
    }
  }
}
