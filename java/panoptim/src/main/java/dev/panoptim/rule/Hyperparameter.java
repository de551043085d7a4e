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
  BETA3("beta3", 0, 1, false),
  /// The share of the first moment in the direction: [Nesterov#QUASI_HYPERBOLIC].
  NU1("nu1", 0, 1, true),
  /// The share of the moving average in the second moment: [SecondMoment#MIXED_AVERAGE].
  NU2("nu2", 0, 1, true),
  MOMENTUM_DECAY("momentumDecay", 0, Float.MAX_VALUE, true),
  INITIAL_ACCUMULATOR("initialAccumulator", 0, Float.MAX_VALUE, true),
  EPSILON("epsilon", 0, Float.MAX_VALUE, true),
  WEIGHT_DECAY("weightDecay", 0, Float.MAX_VALUE, true),
  /// The power of the number of steps to which ADOPT clamps its direction.
  CLIP_POWER("clipPower", 0, Float.MAX_VALUE, true),
  /// The share of the slow moment in the direction: [History#SLOW_MOMENT].
  ALPHA("alpha", 0, Float.MAX_VALUE, true),
  /// The share of the difference of gradients: [History#CORRECTED_GRADIENT].
  GAMMA("gamma", 0, Float.MAX_VALUE, true),
  /// The number of steps until AdEMAMix's `alpha` and `beta3`, or the learning rate of a
  /// schedule-free optimizer, have their values.
  WARMUP_STEPS("warmupSteps", 0, Float.MAX_VALUE, true),
  /// The factor of the curvature in Sophia's divisor.
  RHO("rho", 0, Float.MAX_VALUE, true),
  /// Another factor of that curvature: the number of examples of a gradient.
  BATCH_SIZE("batchSize", 0, Float.MAX_VALUE, true),
  /// ASGD's decay, of the parameter and of the learning rate.
  LAMBD("lambd", 0, Float.MAX_VALUE, true),
  /// The power of that decay of the learning rate.
  POWER("power", 0, Float.MAX_VALUE, true),
  /// The step after which ASGD's average is one of several parameters.
  AVERAGING_START("averagingStart", 0, Float.MAX_VALUE, true),
  /// The factor of a step size of Rprop where the gradient's sign changes.
  ETA_MINUS("etaMinus", 0, 1, false),
  /// The factor where it stays.
  ETA_PLUS("etaPlus", 1, Float.MAX_VALUE, true),
  SMALLEST_STEP("smallestStep", 0, Float.MAX_VALUE, true),
  LARGEST_STEP("largestStep", 0, Float.MAX_VALUE, true),
  /// The penalties of FTRL-Proximal: `l1 * |w| + l2 * w * w`.
  L1("l1", 0, Float.MAX_VALUE, true),
  L2("l2", 0, Float.MAX_VALUE, true),
  /// What FTRL-Proximal adds to the root of the sum of squared gradients.
  BETA("beta", 0, Float.MAX_VALUE, true),
  /// The power of the step's number in the weight of a schedule-free average.
  WEIGHT_POWER("weightPower", 0, Float.MAX_VALUE, true),
  /// The largest trust ratio: [TensorFactor#TRUST_RATIO].
  LARGEST_TRUST_RATIO("largestTrustRatio", 0, Float.MAX_VALUE, true),
  /// The factor of the trust ratio: [TensorFactor#GRADIENT_TRUST_RATIO].
  TRUST_COEFFICIENT("trustCoefficient", 0, Float.MAX_VALUE, true),
  /// The power of the largest learning rate so far in that weight.
  LEARNING_RATE_POWER("learningRatePower", 0, Float.MAX_VALUE, true);

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

  /// The smallest allowed value.
  public double lowest() {
    return lowest;
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
