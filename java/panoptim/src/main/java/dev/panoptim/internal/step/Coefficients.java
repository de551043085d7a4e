package dev.panoptim.internal.step;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

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

  /// With look-ahead, the input's share in the direction.
  public float nesterovInput;

  /// With look-ahead, the first moment's share in the direction.
  public float nesterovMoment;

  /// Added under the root of the second moment.
  public float epsilonInside;

  /// Added to that root; for the infinity norm, to the gradient.
  public float epsilon;

  /// For the rectified average: 0 leaves the direction undivided.
  public float divides;

  /// The direction's share in the update.
  public float stepSize;

  /// The parameter's share in its running average, where there is one. Left as it is by [#compute].
  public float averageTake;

  /// Of the first moment's decay.
  private final Powers firstPowers = new Powers();

  /// Of the second moment's decay.
  private final Powers secondPowers = new Powers();

  /// Of NAdam's schedule, `0.96^(t * momentumDecay)`.
  private static final double LOG_OF_BASE = StrictMath.log(0.96);

  /// All 0, until they are computed.
  public Coefficients() {}

  /// The product of all scheduled momenta up to this step: what the next step is given. 1 without a
  /// schedule. No backend reads it.
  public double momentumProduct;

  /// Computes all of them.
  ///
  /// @param step the number of this step, counted from 1
  /// @param productBefore [#momentumProduct] of the parameter's step before this one, 1 if there is
  ///   none
  public void compute(Rule rule, Hyperparameters values, long step, double productBefore) {
    double learningRate = values.orZero(Hyperparameter.LEARNING_RATE);
    double decay = values.orZero(Hyperparameter.WEIGHT_DECAY);
    double epsilonGiven = values.orZero(Hyperparameter.EPSILON);
    double beta2 = values.orZero(Hyperparameter.BETA2);
    gradientScale = rule.maximize() ? -1 : 1;
    weightDecay = (float) (rule.decay() == Decay.DECOUPLED ? learningRate * decay : decay);
    momentumProduct = productBefore;

    double size = learningRate * firstMoment(rule, values, step);
    nesterov(rule, values, step);
    secondMoment(rule, beta2);
    if (rule.secondMoment() == SecondMoment.SUM) {
      size /= 1 + (step - 1) * values.orZero(Hyperparameter.LEARNING_RATE_DECAY);
    }
    // m over (root(v) / c + epsilon) is c times m over (root(v) + c * epsilon): one factor, rounded
    // once.
    double root = rule.correctsSecondMoment() ? Math.sqrt(correction(secondPowers, beta2, step)) : 1;
    if (rule.secondMoment() == SecondMoment.RECTIFIED_AVERAGE) {
      // Rectification leaves epsilon as it is.
      double rectification = rectification(beta2, step);
      divides = rectification > 0 ? 1 : 0;
      size *= rectification > 0 ? root * rectification : 1;
      root = 1;
    } else {
      divides = 1;
      size *= root;
    }
    epsilonInside = rule.epsilonInside() ? (float) (epsilonGiven * root * root) : 0;
    epsilon = rule.epsilonInside() ? 0 : (float) (epsilonGiven * root);
    stepSize = (float) size;
  }

  /// @return what the first moment's bias takes the learning rate times
  private double firstMoment(Rule rule, Hyperparameters values, long step) {
    double decay = 0;
    double take = 0;
    double correction = 1;
    switch (rule.firstMoment()) {
      case NONE -> {}
      case HEAVY_BALL -> {
        decay = step == 1 ? 0 : values.orZero(Hyperparameter.MOMENTUM);
        // PyTorch keeps no buffer at momentum 0, so there is nothing to dampen.
        take = decay == 0 ? 1 : 1 - values.orZero(Hyperparameter.DAMPENING);
      }
      case MOVING_AVERAGE -> {
        boolean interpolated = rule.nesterov() == Nesterov.INTERPOLATED;
        decay = values.orZero(interpolated ? Hyperparameter.BETA2 : Hyperparameter.BETA1);
        take = 1 - decay;
        // A schedule corrects each part of its direction by itself.
        if (rule.biasCorrection() && rule.nesterov() != Nesterov.SCHEDULED) {
          correction = correction(firstPowers, decay, step);
        }
      }
    }
    firstDecay = towardsZero(decay);
    firstDecayRest = (float) (decay - firstDecay);
    firstTake = (float) take;
    return 1 / correction;
  }

  private void secondMoment(Rule rule, double beta2) {
    boolean sum = rule.secondMoment() == SecondMoment.SUM;
    double decay = sum ? 1 : beta2;
    secondDecay = towardsZero(decay);
    secondDecayRest = (float) (decay - secondDecay);
    secondTake = (float) (sum ? 1 : 1 - beta2);
  }

  private void nesterov(Rule rule, Hyperparameters values, long step) {
    double input = 0;
    double moment = 0;
    switch (rule.nesterov()) {
      case NONE -> {}
      case NESTEROV -> {
        boolean average = rule.firstMoment() == FirstMoment.MOVING_AVERAGE;
        moment = values.orZero(average ? Hyperparameter.BETA1 : Hyperparameter.MOMENTUM);
        input = average ? 1 - moment : 1;
      }
      case SCHEDULED -> {
        double now = scheduled(values, step);
        double next = scheduled(values, step + 1);
        // What does not change the 1 below might as well be 0, and is multiplied faster.
        momentumProduct = momentumProduct < 0x1p-60 ? 0 : momentumProduct * now;
        input = (1 - now) / (1 - momentumProduct);
        moment = next / (1 - momentumProduct * next);
      }
      case INTERPOLATED -> {
        moment = values.orZero(Hyperparameter.BETA1);
        input = 1 - moment;
      }
    }
    nesterovInput = (float) input;
    nesterovMoment = (float) moment;
  }

  private static double scheduled(Hyperparameters values, long step) {
    double exponent = step * values.orZero(Hyperparameter.MOMENTUM_DECAY);
    return values.orZero(Hyperparameter.BETA1) * (1 - 0.5 * StrictMath.exp(exponent * LOG_OF_BASE));
  }

  /// RAdam's factor; 0 where there are too few steps to divide at all.
  private double rectification(double beta2, long step) {
    double most = 2 / (1 - beta2) - 1;
    double power = secondPowers.power(beta2, step);
    double length = most - 2 * step * power / (1 - power);
    return length > 5
        ? Math.sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length))
        : 0;
  }

  /// `1 - beta^step`.
  private static double correction(Powers powers, double beta, long step) {
    return 1 - powers.power(beta, step);
  }

  /// The largest float below, so that the rest is positive: an infinite state keeps its sign, where
  /// a rest of 0 or less would turn it NaN.
  private static float towardsZero(double value) {
    float nearest = (float) value;
    return nearest >= value && nearest > 0 ? Math.nextDown(nearest) : nearest;
  }
}
