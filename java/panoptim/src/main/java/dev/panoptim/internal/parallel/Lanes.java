package dev.panoptim.internal.parallel;

/// The end of a sum in [WorkSplit#LANES] partial sums.
///
/// Thread-safe.
public final class Lanes {
  private Lanes() {}

  /// Adds the sums in halves, sum k + half to sum k, until one is left. Overwrites them.
  ///
  /// @param sums as many as a power of two
  public static double sumInHalves(double[] sums) {
    for (int half = sums.length / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; lane++) {
        sums[lane] += sums[lane + half];
      }
    }
    return sums[0];
  }
}
