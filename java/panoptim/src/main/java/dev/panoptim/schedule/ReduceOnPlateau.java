package dev.panoptim.schedule;

import java.util.Objects;

/// Makes a hyperparameter smaller when a metric no longer gets better, as PyTorch's
/// `ReduceLROnPlateau` does: the options. A [Scheduler] that drives something by it keeps the best
/// metric and the counts, and [Scheduler#step(double)] feeds it.
///
/// For metrics of 0 or more, both take the same decisions, to the last bit. There are two
/// differences, both in the mode [ThresholdMode#RELATIVE]:
/// - Where the best metric is below 0, the margin is here the share of its absolute value. PyTorch
///   multiplies the best metric by `1 - threshold` (or `1 + threshold` for [Mode#MAX]) whatever its
///   sign is. A metric that is slightly worse than a negative best one then counts as better, and
///   the value is never reduced.
/// - As long as there is no finite best metric, any better number is taken. PyTorch takes none if
///   the mode is MIN and the threshold is 1 or more.
///
/// Immutable; its builder is not thread-safe.
public final class ReduceOnPlateau {
  /// Which metrics are good.
  public enum Mode {
    /// Low ones, such as of a loss.
    MIN,
    /// High ones, such as of an accuracy.
    MAX
  }

  /// What a metric must surpass to count as better.
  public enum ThresholdMode {
    /// The best one by the share `threshold` of its absolute value.
    RELATIVE,
    /// The best one by `threshold`.
    ABSOLUTE
  }

  private final Mode mode;
  private final double factor;
  private final long patience;
  private final double threshold;
  private final ThresholdMode thresholdMode;
  private final long cooldown;
  private final double minimum;
  private final double eps;

  private ReduceOnPlateau(Builder options) {
    mode = options.mode;
    factor = options.factor;
    patience = options.patience;
    threshold = options.threshold;
    thresholdMode = options.thresholdMode;
    cooldown = options.cooldown;
    minimum = options.minimum;
    eps = options.eps;
  }

  /// PyTorch's defaults: mode MIN, factor 0.1, patience 10, threshold 1e-4, relative, no cooldown,
  /// minimum 0, eps 1e-8.
  public static Builder builder() {
    return new Builder();
  }

  double worst() {
    return mode == Mode.MIN ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
  }

  /// Never true of NaN.
  boolean isBetter(double metric, double best) {
    if (mode == Mode.MIN) {
      return metric < (thresholdMode == ThresholdMode.RELATIVE ? below(best) : best - threshold);
    }
    return metric > (thresholdMode == ThresholdMode.RELATIVE ? above(best) : best + threshold);
  }

  /// What a metric must be below, by the share of the best one. Products as PyTorch's, so that the
  /// roundings are the same; an infinite one has no share.
  private double below(double best) {
    if (Double.isInfinite(best)) {
      return best;
    }
    return best < 0 ? best * (threshold + 1) : best * (1 - threshold);
  }

  /// What a metric must be above.
  private double above(double best) {
    if (Double.isInfinite(best)) {
      return best;
    }
    return best < 0 ? best * (1 - threshold) : best * (threshold + 1);
  }

  long patience() {
    return patience;
  }

  long cooldown() {
    return cooldown;
  }

  double reduced(double value) {
    double lower = Math.max(value * factor, minimum);
    return value - lower > eps ? lower : value;
  }

  /// All options.
  @Override
  public String toString() {
    return "reduceOnPlateau(mode="
        + mode.name()
        + ", factor="
        + factor
        + ", patience="
        + patience
        + ", threshold="
        + threshold
        + ", thresholdMode="
        + thresholdMode.name()
        + ", cooldown="
        + cooldown
        + ", minimum="
        + minimum
        + ", eps="
        + eps
        + ")";
  }

  /// The options; each throws an [IllegalArgumentException] if its value is out of range.
  public static final class Builder {
    private Mode mode = Mode.MIN;
    private double factor = 0.1;
    private long patience = 10;
    private double threshold = 1e-4;
    private ThresholdMode thresholdMode = ThresholdMode.RELATIVE;
    private long cooldown;
    private double minimum;
    private double eps = 1e-8;

    private Builder() {}

    /// Whether the metric should fall or rise.
    public Builder mode(Mode value) {
      mode = Objects.requireNonNull(value, "mode is null");
      return this;
    }

    /// What the value is multiplied by when it is reduced.
    ///
    /// @param value from 0 to 1 exclusively
    public Builder factor(double value) {
      if (!(value >= 0 && value < 1)) {
        throw new IllegalArgumentException(
            "factor is " + value + ", but must be from 0 to 1 exclusively");
      }
      factor = value;
      return this;
    }

    /// How many metrics in a row may be no better before the value is reduced.
    ///
    /// @param value 0 or more
    public Builder patience(long value) {
      patience = Require.atLeast(0, value, "patience");
      return this;
    }

    /// @param value finite, 0 or more
    public Builder threshold(double value) {
      threshold = Require.notNegative(value, "threshold");
      return this;
    }

    /// What the threshold is measured by.
    public Builder thresholdMode(ThresholdMode value) {
      thresholdMode = Objects.requireNonNull(value, "thresholdMode is null");
      return this;
    }

    /// For how many metrics after a reduction those that are no better do not count.
    ///
    /// @param value 0 or more
    public Builder cooldown(long value) {
      cooldown = Require.atLeast(0, value, "cooldown");
      return this;
    }

    /// What the value is not reduced below.
    ///
    /// @param value finite, 0 or more
    public Builder minimum(double value) {
      minimum = Require.notNegative(value, "minimum");
      return this;
    }

    /// A reduction by no more than this is left out.
    ///
    /// @param value finite, 0 or more
    public Builder eps(double value) {
      eps = Require.notNegative(value, "eps");
      return this;
    }

    public ReduceOnPlateau build() {
      return new ReduceOnPlateau(this);
    }
  }
}
