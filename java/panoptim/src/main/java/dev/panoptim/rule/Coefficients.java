package dev.panoptim.rule;

/// What a step multiplies with: computed from hyperparameters and the step's number in double,
/// rounded to float once.
///
/// Every backend works with these numbers and nothing else, so none of them computes a power or a
/// root of its own. A moment's decay is the sum of two floats: 0.999f alone is so far from 0.999
/// that the average would forget 1.3e-5 too slowly, which is a thousand times more than the
/// roundings of a step.
///
/// Mutable, so that a step need not allocate. Not thread-safe.
public final class Coefficients {
  /// -1 to maximize, else 1.
  public float gradientScale;

  /// For L2 the decay itself; for decoupled decay the learning rate times the decay.
  public float weightDecay;

  /// The largest float below the first moment's decay.
  public float firstDecay;

  /// What [#firstDecay] lacks.
  public float firstDecayRest;

  /// The gradient's share in the first moment.
  public float firstTake;

  /// The largest float below the second moment's decay.
  public float secondDecay;

  /// What [#secondDecay] lacks.
  public float secondDecayRest;

  /// The squared gradient's share in the second moment.
  public float secondTake;

  /// With Nesterov, the gradient's share in the direction.
  public float lookAheadGradient;

  /// With Nesterov, the first moment's share in the direction.
  public float lookAheadMoment;

  /// Added to the root of the second moment.
  public float epsilon;

  /// The direction's share in the update.
  public float stepSize;

  /// All 0, until they are computed.
  public Coefficients() {}

  /// Computes all of them.
  ///
  /// @param step the number of this step, counted from 1
  public void compute(Rule rule, Hyperparameters values, long step) {
    double learningRate = values.orZero(Hyperparameter.LEARNING_RATE);
    double decay = values.orZero(Hyperparameter.WEIGHT_DECAY);
    double momentum = 0;
    double take = 0;
    double firstCorrection = 1;
    double secondCorrection = 1;
    switch (rule.firstMoment()) {
      case NONE -> {}
      case HEAVY_BALL -> {
        momentum = step == 1 ? 0 : values.orZero(Hyperparameter.MOMENTUM);
        // PyTorch keeps no buffer at momentum 0, so there is nothing to dampen.
        take = momentum == 0 ? 1 : 1 - values.orZero(Hyperparameter.DAMPENING);
      }
      case MOVING_AVERAGE -> {
        momentum = values.orZero(Hyperparameter.BETA1);
        take = 1 - momentum;
        firstCorrection = rule.biasCorrection() ? correction(momentum, step) : 1;
      }
    }
    double beta2 = values.orZero(Hyperparameter.BETA2);
    if (rule.hasSecondMoment() && rule.biasCorrection()) {
      secondCorrection = Math.sqrt(correction(beta2, step));
    }

    gradientScale = rule.maximize() ? -1 : 1;
    weightDecay = (float) (rule.decay() == Decay.DECOUPLED ? learningRate * decay : decay);
    firstDecay = towardsZero(momentum);
    firstDecayRest = (float) (momentum - firstDecay);
    firstTake = (float) take;
    secondDecay = towardsZero(beta2);
    secondDecayRest = (float) (beta2 - secondDecay);
    secondTake = (float) (1 - beta2);
    lookAhead(rule, values);
    // m / c1 over (root(v) / c2 + epsilon) is c2 / c1 times m over (root(v) + c2 * epsilon): one
    // factor, rounded once.
    epsilon = (float) (values.orZero(Hyperparameter.EPSILON) * secondCorrection);
    stepSize = (float) (learningRate / firstCorrection * secondCorrection);
  }

  private void lookAhead(Rule rule, Hyperparameters values) {
    boolean average = rule.firstMoment() == FirstMoment.MOVING_AVERAGE;
    double ahead = values.orZero(average ? Hyperparameter.BETA1 : Hyperparameter.MOMENTUM);
    lookAheadMoment = (float) ahead;
    lookAheadGradient = (float) (average ? 1 - ahead : 1);
  }

  /// `1 - beta^step`. As `beta^step` is at most `exp(-step * (1 - beta))`, it is soon too small to
  /// change the 1, and then the power, half the time of a small step, need not be computed.
  private static double correction(double beta, long step) {
    return step * (1 - beta) > 40 ? 1 : 1 - StrictMath.pow(beta, step);
  }

  /// The largest float below, so that the rest is positive: an infinite state keeps its sign, where
  /// a rest of 0 or less would turn it NaN.
  private static float towardsZero(double value) {
    float nearest = (float) value;
    return nearest >= value && nearest > 0 ? Math.nextDown(nearest) : nearest;
  }
}
