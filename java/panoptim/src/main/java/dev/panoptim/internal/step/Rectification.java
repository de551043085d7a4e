package dev.panoptim.internal.step;

/// RAdam's rectification of the second moment in the first steps: [Liu and others
/// 2020](https://arxiv.org/abs/1908.03265).
final class Rectification {
  private Rectification() {}

  /// The direction's factor; 0 where there are too few steps to divide at all.
  ///
  /// @param beta the second moment's decay
  /// @param power `beta^step`
  /// @param step counted from 1
  static double factor(double beta, double power, long step) {
    double most = 2 / (1 - beta) - 1;
    double length = most - 2 * step * power / (1 - power);
    return length > 5
        ? Math.sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length))
        : 0;
  }
}
