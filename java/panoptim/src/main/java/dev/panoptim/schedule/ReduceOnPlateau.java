package dev.panoptim.schedule;

import java.util.Objects;

/// The options of reducing a hyperparameter when a metric stops improving, as in PyTorch's
/// `ReduceLROnPlateau`. A [Scheduler] keeps the best metric and the counts, and
/// [Scheduler#step(double)] passes the metrics.
///
/// For metrics of 0 or more, the decisions are the same as PyTorch's, bit by bit. There are two
/// differences, both in the mode [ThresholdMode#RELATIVE]:
/// - If the best metric is negative, the margin here is a fraction of its absolute value. PyTorch
///   multiplies the best metric by `1 - threshold` (or `1 + threshold` for [Mode#MAX]), whatever
///   its sign. There, a metric that is slightly worse than a negative best one counts as better,
///   and the value is never reduced.
/// - As long as there is no finite best metric, any better number is accepted here. PyTorch accepts
///   none if the mode is MIN and the threshold is 1 or more.
///
/// Immutable and thread-safe; its builder is not thread-safe.
public final class ReduceOnPlateau {
  /// The direction in which a metric improves.
  public enum Mode {
    /// Lower metrics are better, such as a loss.
    MIN,
    /// Higher metrics are better, such as an accuracy.
    MAX
  }

  /// The margin by which a metric must improve on the best one.
  public enum ThresholdMode {
    /// `threshold` times the absolute value of the best metric.
    RELATIVE,
    /// `threshold` itself.
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

  /// Creates a builder with PyTorch's defaults: mode MIN, factor 0.1, patience 10, relative
  /// threshold 1e-4, no cooldown, minimum 0, eps 1e-8.
  public static Builder builder() {
    return new Builder();
  }

  double worst() {
    return mode == Mode.MIN ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
  }

  /// Whether a metric is better than the best one by the threshold. NaN is never better.
  boolean isBetter(double metric, double best) {
    if (mode == Mode.MIN) {
      return metric < (thresholdMode == ThresholdMode.RELATIVE ? below(best) : best - threshold);
    }
    return metric > (thresholdMode == ThresholdMode.RELATIVE ? above(best) : best + threshold);
  }

  /// The bound that a metric must be below in relative mode. The products are PyTorch's, so that
  /// the roundings are the same. An infinite bound has no fraction.
  private double below(double best) {
    if (Double.isInfinite(best)) {
      return best;
    }
    return best < 0 ? best * (threshold + 1) : best * (1 - threshold);
  }

  /// The bound that a metric must be above in relative mode.
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

  /// Lists all options. The text identifies the plateau when a [SchedulerState] is loaded.
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

  /// Sets the options. Each setter throws an [IllegalArgumentException] if its value is out of
  /// range.
  ///
  /// Not thread-safe.
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

    /// Whether lower or higher metrics are better.
    public Builder mode(Mode value) {
      mode = Objects.requireNonNull(value, "mode is null");
      return this;
    }

    /// The factor of a reduction.
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

    /// The number of successive metrics without improvement that are tolerated before a reduction.
    ///
    /// @param value 0 or more
    public Builder patience(long value) {
      patience = Require.atLeast(0, value, "patience");
      return this;
    }

    /// The margin of an improvement, in the units of the threshold mode.
    ///
    /// @param value finite, 0 or more
    public Builder threshold(double value) {
      threshold = Require.notNegative(value, "threshold");
      return this;
    }

    /// Whether the threshold is relative to the best metric or absolute.
    public Builder thresholdMode(ThresholdMode value) {
      thresholdMode = Objects.requireNonNull(value, "thresholdMode is null");
      return this;
    }

    /// The number of metrics after a reduction that do not count as failures to improve.
    ///
    /// @param value 0 or more
    public Builder cooldown(long value) {
      cooldown = Require.atLeast(0, value, "cooldown");
      return this;
    }

    /// The lower bound of the reduced value.
    ///
    /// @param value finite, 0 or more
    public Builder minimum(double value) {
      minimum = Require.notNegative(value, "minimum");
      return this;
    }

    /// Reductions by no more than this are skipped.
    ///
    /// @param value finite, 0 or more
    public Builder eps(double value) {
      eps = Require.notNegative(value, "eps");
      return this;
    }

    /// Builds the options.
    public ReduceOnPlateau build() {
      return new ReduceOnPlateau(this);
    }
  }
}
