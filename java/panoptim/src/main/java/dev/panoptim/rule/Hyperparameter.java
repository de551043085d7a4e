package dev.panoptim.rule;

/// A numeric setting of steps that may change between steps, with its range.
///
/// Immutable.
public enum Hyperparameter {
  LEARNING_RATE("learningRate", 0, Float.MAX_VALUE, true),
  LEARNING_RATE_DECAY("learningRateDecay", 0, Float.MAX_VALUE, true),
  MOMENTUM("momentum", 0, 1, true),
  DAMPENING("dampening", 0, 1, true),
  BETA1("beta1", 0, 1, false),
  BETA2("beta2", 0, 1, false),
  MOMENTUM_DECAY("momentumDecay", 0, Float.MAX_VALUE, true),
  INITIAL_ACCUMULATOR("initialAccumulator", 0, Float.MAX_VALUE, true),
  EPSILON("epsilon", 0, Float.MAX_VALUE, true),
  WEIGHT_DECAY("weightDecay", 0, Float.MAX_VALUE, true);

  private final String label;
  private final double lowest;
  private final double highest;
  private final boolean highestAllowed;

  Hyperparameter(String label, double lowest, double highest, boolean highestAllowed) {
    this.label = label;
    this.lowest = lowest;
    this.highest = highest;
    this.highestAllowed = highestAllowed;
  }

  /// The name in messages and in saved state, such as `learningRate`.
  public String label() {
    return label;
  }

  /// @return the value
  /// @throws IllegalArgumentException if it is NaN or out of range
  public double check(double value) {
    boolean fits = value >= lowest && (highestAllowed ? value <= highest : value < highest);
    if (!fits) {
      throw new IllegalArgumentException(
          "%s is %s, but must be a number from %s to %s%s"
              .formatted(
                  label,
                  value,
                  words(lowest),
                  words(highest),
                  highestAllowed ? "" : " exclusively"));
    }
    return value;
  }

  private static String words(double bound) {
    return bound == Math.rint(bound) && bound < 10
        ? Integer.toString((int) bound)
        : (float) bound + "";
  }

  @Override
  public String toString() {
    return label;
  }
}
