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
  /// The decay of the second moment at step t is `1 - t^beta2Decay`:
  /// [SecondMoment#FACTORED_AVERAGE].
  BETA2_DECAY("beta2Decay", -Float.MAX_VALUE, 0, true),
  /// The share of the first moment in the direction: [Nesterov#QUASI_HYPERBOLIC].
  NU1("nu1", 0, 1, true),
  /// The share of the moving average in the second moment: [SecondMoment#MIXED_AVERAGE].
  NU2("nu2", 0, 1, true),
  MOMENTUM_DECAY("momentumDecay", 0, Float.MAX_VALUE, true),
  INITIAL_ACCUMULATOR("initialAccumulator", 0, Float.MAX_VALUE, true),
  EPSILON("epsilon", 0, Float.MAX_VALUE, true),
  /// The least root mean square of a parameter: [TensorFactor#PARAMETER_SIZE].
  EPSILON2("epsilon2", 0, Float.MAX_VALUE, true),
  WEIGHT_DECAY("weightDecay", 0, Float.MAX_VALUE, true),
  /// The power c of ADOPT's clamping: the direction is clamped to `(t - 1)^c`.
  CLIP_POWER("clipPower", 0, Float.MAX_VALUE, true),
  /// The share of the slow moment in the direction: [History#SLOW_MOMENT].
  ALPHA("alpha", 0, Float.MAX_VALUE, true),
  /// The share of the difference of successive gradients: [History#CORRECTED_GRADIENT].
  GAMMA("gamma", 0, Float.MAX_VALUE, true),
  /// The number of steps until AdEMAMix's `alpha` and `beta3`, or the learning rate of a
  /// schedule-free optimizer, reach their values.
  WARMUP_STEPS("warmupSteps", 0, Float.MAX_VALUE, true),
  /// The factor of the curvature in Sophia's divisor.
  RHO("rho", 0, Float.MAX_VALUE, true),
  /// The number of examples (or tokens) of a gradient: another factor of the curvature in Sophia's
  /// divisor.
  BATCH_SIZE("batchSize", 0, Float.MAX_VALUE, true),
  /// The decay of the parameter and of the learning rate: [Update#AVERAGED].
  LAMBD("lambd", 0, Float.MAX_VALUE, true),
  /// The power of the decay of the learning rate: [Update#AVERAGED].
  POWER("power", 0, Float.MAX_VALUE, true),
  /// The number of steps before ASGD starts to average; until then the average is the parameter.
  AVERAGING_START("averagingStart", 0, Float.MAX_VALUE, true),
  /// The factor of a step size of Rprop if the gradient's sign has changed.
  ETA_MINUS("etaMinus", 0, 1, false),
  /// The factor of a step size of Rprop if the gradient's sign has not changed.
  ETA_PLUS("etaPlus", 1, Float.MAX_VALUE, true),
  /// The lower bound of Rprop's step sizes.
  SMALLEST_STEP("smallestStep", 0, Float.MAX_VALUE, true),
  /// The upper bound of Rprop's step sizes; [Hyperparameters] requires that it is not below the
  /// lower one.
  LARGEST_STEP("largestStep", 0, Float.MAX_VALUE, true),
  /// The factor of `|w|` in the penalty of FTRL-Proximal.
  L1("l1", 0, Float.MAX_VALUE, true),
  /// The factor of `w * w` in the penalty of FTRL-Proximal.
  L2("l2", 0, Float.MAX_VALUE, true),
  /// Added to the root of the sum of squared gradients: [Update#PROXIMAL].
  BETA("beta", 0, Float.MAX_VALUE, true),
  /// The power of the step's number in a step's weight in the schedule-free average.
  WEIGHT_POWER("weightPower", 0, Float.MAX_VALUE, true),
  /// The largest trust ratio: [TensorFactor#TRUST_RATIO].
  LARGEST_TRUST_RATIO("largestTrustRatio", 0, Float.MAX_VALUE, true),
  /// The factor of the trust ratio: [TensorFactor#GRADIENT_TRUST_RATIO].
  TRUST_COEFFICIENT("trustCoefficient", 0, Float.MAX_VALUE, true),
  /// The learning rate is at most this over the root of the step's number:
  /// [SecondMoment#FACTORED_AVERAGE].
  RELATIVE_STEP("relativeStep", 0, Float.MAX_VALUE, true),
  /// The largest root mean square of a direction: [TensorFactor#CLIPPED_DIRECTION].
  CLIP_THRESHOLD("clipThreshold", 1, Float.MAX_VALUE, true),
  /// The number of Newton-Schulz iterations, a whole number: [Orthogonalization].
  ITERATIONS("iterations", 1, 100, true),
  /// The power of the largest learning rate so far in a step's weight in the schedule-free average.
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
    return bound == Math.rint(bound) && Math.abs(bound) < 10
        ? Integer.toString((int) bound)
        : (float) bound + "";
  }

  @Override
  public String toString() {
    return label;
  }
}
