package dev.panoptim.internal.step;

import dev.panoptim.rule.History;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// The coefficients of a step: computed in double from hyperparameters and the step's number, and
/// rounded to float once.
///
/// Backends use these numbers only, and compute no powers. A moment's decay is the sum of two
/// floats: 0.999f differs so much from 0.999 that the average would forget 1.3e-5 too slowly, a
/// thousand times more than the rounding errors of a step.
///
/// Some of the numbers change at each step. The others are decided by the hyperparameters, and are
/// computed again only when these have changed; [#version()] says when that was.
///
/// Mutable, so that a step need not allocate. Not thread-safe.
public final class Coefficients {
  /// No version of hyperparameters: those start at 0 and rise.
  private static final long UNKNOWN_VERSION = -1;

  /// The largest number of scalars of a rule.
  static final int MOST_SCALARS = 3;

  // Written at each step.

  /// Added under the root of the second moment.
  public float epsilonInside;

  /// Added to that root; for the infinity norm, to the gradient.
  public float epsilon;

  /// The direction's share in the update.
  public float stepSize;

  // Written when the version has risen.

  /// -1 to maximize, else 1; times what [#scaleGradients] was given.
  public float gradientScale;

  /// The factor of gradients that have been scaled and clipped by value; 1 if no [#scaleGradientBy]
  /// follows. Without clipping, [#gradientScale] contains that factor.
  public float clippedScale = 1;

  /// The parameter's share in its running average, where there is one; what [#averageParameters]
  /// was given.
  public float averageTake;

  /// The parameter's share in the gradient for L2 decay, in the update for any other decay. With
  /// [dev.panoptim.rule.Update#SCHEDULE_FREE], its share in the direction.
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

  /// With Nesterov momentum, the input's share in the direction.
  public float nesterovInput;

  /// With Nesterov momentum, the first moment's share in the direction.
  public float nesterovMoment;

  /// For the rectified average: 0 leaves the direction undivided. For the curvature average: 0 in a
  /// step that changes only this average.
  public float divides;

  /// Coefficients that only few compositions need: see `special_numbers` in
  /// `native/src/rule/update.h`.
  public final float[] special = new float[SpecialCoefficients.COUNT];

  /// The parameter's scalars after this step, in the order of [Rule#scalarNames()]. No backend
  /// reads them.
  public final double[] scalars = new double[MOST_SCALARS];

  private final FirstMomentShares firstShares = new FirstMomentShares(this);
  private final NesterovShares nesterovShares = new NesterovShares(this);
  private final SpecialCoefficients specials = new SpecialCoefficients(this);

  /// Of the second moment's decay.
  private final Powers secondPowers = new Powers();

  private long version;

  // What the numbers above were computed from.

  private Rule rule;
  private Hyperparameters values;
  private long valuesVersion = UNKNOWN_VERSION;

  // What the hyperparameters and the rule decide for all steps.

  private double learningRate;
  private double learningRateDecay;
  private double givenEpsilon;
  private double secondBeta;
  private boolean correctsSecond;
  private boolean epsilonFirst;
  private boolean sums;
  private boolean rectifies;

  /// Whether the second moment's correction is a factor of the first moment's input, instead of the
  /// direction.
  private boolean correctsInput;

  // What [#scaleStep], [#scaleDecay] and [#scaleGradientBy] multiply.

  private double exactStepSize;
  private double exactDecay;
  private double exactScale;
  private double secondCorrection;

  /// All 0, until they are computed.
  public Coefficients() {}

  /// Rises whenever a coefficient changes, except [#epsilonInside], [#epsilon] and [#stepSize],
  /// which change at each step.
  public long version() {
    return version;
  }

  /// Computes all coefficients except [#averageTake] and the scale in [#gradientScale]:
  /// [#averageParameters] and [#scaleGradients] set them.
  ///
  /// @param step the number of this step, counted from 1
  /// @param before the parameter's scalars before this step, in the order of [Rule#scalarNames()]
  public void compute(Rule rule, Hyperparameters values, long step, double[] before) {
    if (values != this.values || values.version() != valuesVersion || rule != this.rule) {
      decide(rule, values);
    }
    if (rule.isMeasured()) {
      // The last step's factor may have changed it.
      setDecay(exactDecay);
    }
    nesterovShares.compute(step, before);
    double size = learningRate * firstShares.compute(step);
    if (sums) {
      size /= 1 + (step - 1) * learningRateDecay;
    }
    // m over (root(v) / c + epsilon) is c times m over (root(v) + c * epsilon): one factor, rounded
    // once.
    double root = correctsSecond ? Math.sqrt(1 - secondPowers.power(secondBeta, step)) : 1;
    secondCorrection = root * root;
    if (rectifies) {
      // Rectification leaves epsilon as it is.
      size *= rectify(step, root);
      root = 1;
    } else if (correctsInput) {
      firstShares.correctInput(root);
    } else {
      size *= root;
    }
    if (epsilonFirst) {
      root = 1;
    }
    if (rule.epsilonInside()) {
      epsilonInside = (float) (givenEpsilon * root * root);
    } else {
      epsilon = (float) (givenEpsilon * root);
    }
    if (specials.isUsed()) {
      size = specials.compute(step, before, size);
    }
    exactStepSize = size;
    stepSize = (float) size;
  }

  /// Multiplies [#stepSize]. This and the next two methods are called after [#compute] and
  /// [#scaleGradients], at most once each.
  void scaleStep(double factor) {
    stepSize = (float) (exactStepSize * factor);
  }

  /// Sets [#stepSize], after [#compute].
  void step(double size) {
    exactStepSize = size;
    stepSize = (float) size;
  }

  /// Makes these the coefficients of a step whose gradient is 0: the moments decay, and the
  /// parameter decays. [#step] and [#epsilon] are left to the caller.
  ///
  /// @param decay the parameter's share that decays
  void withoutGradient(double firstDecay, double secondDecay, double decay) {
    firstMoment(firstDecay, 0);
    secondMoment(secondDecay, 0);
    gradientScale(1);
    clippedScale(1);
    averageParameters(Float.NaN);
    divides(1);
    decay(decay);
  }

  /// Multiplies [#weightDecay].
  void scaleDecay(double factor) {
    setDecay(exactDecay * factor);
  }

  /// Multiplies [#clippedScale] if gradients are clipped by value, else [#gradientScale].
  void scaleGradientBy(double factor, boolean clips) {
    gradientScale((float) (clips ? exactScale : exactScale * factor));
    clippedScale((float) (clips ? factor : 1));
  }

  private void gradientScale(float value) {
    if (!sameBits(value, gradientScale)) {
      gradientScale = value;
      version++;
    }
  }

  private void clippedScale(float value) {
    if (!sameBits(value, clippedScale)) {
      clippedScale = value;
      version++;
    }
  }

  /// The second moment's bias correction at this step, by which it is divided; 1 if there is none.
  double secondCorrection() {
    return secondCorrection;
  }

  /// Decides whether this step changes only the curvature average: see [#divides]. To be called
  /// after [#compute]. Without effect under a rule that has no curvature.
  ///
  /// @param measures `false` for a step that updates parameters
  public void measureCurvature(Rule rule, boolean measures) {
    if (rule.secondMoment() != SecondMoment.CURVATURE_AVERAGE) {
      return;
    }
    divides(measures ? 0 : 1);
  }

  private void divides(float value) {
    if (divides != value) {
      divides = value;
      version++;
    }
  }

  /// Sets [#nesterovInput] and [#nesterovMoment].
  void nesterov(double input, double moment) {
    if (!sameBits((float) input, nesterovInput) || !sameBits((float) moment, nesterovMoment)) {
      nesterovInput = (float) input;
      nesterovMoment = (float) moment;
      version++;
    }
  }

  /// Sets [#weightDecay].
  void decay(double value) {
    exactDecay = value;
    setDecay(value);
  }

  private void setDecay(double value) {
    if (!sameBits((float) value, weightDecay)) {
      weightDecay = (float) value;
      version++;
    }
  }

  /// Sets an element of [#special].
  void special(int number, double value) {
    if (!sameBits((float) value, special[number])) {
      special[number] = (float) value;
      version++;
    }
  }

  /// Sets the decay of a moment, and the factor of its input, in [#special].
  ///
  /// @param first the index of the decay; the rest of the decay and the factor follow
  void specialMoment(int first, double decay) {
    float nearest = towardsZero(decay);
    special(first, nearest);
    special(first + 1, decay - nearest);
    special(first + 2, 1 - decay);
  }

  /// Sets the first moment's decay and the factor of its input.
  void firstMoment(double decay, double take) {
    firstDecay = towardsZero(decay);
    firstDecayRest = (float) (decay - firstDecay);
    firstTake = (float) take;
    version++;
  }

  /// Sets the factor of the first moment's input.
  void firstTake(double take) {
    if ((float) take != firstTake) {
      firstTake = (float) take;
      version++;
    }
  }

  /// Sets the second moment's decay and the factor of the squared gradient.
  void secondMoment(double decay, double take) {
    float nearest = towardsZero(decay);
    float rest = (float) (decay - nearest);
    if (nearest != secondDecay || rest != secondDecayRest || (float) take != secondTake) {
      secondDecay = nearest;
      secondDecayRest = rest;
      secondTake = (float) take;
      version++;
    }
  }

  /// Sets the scale of the gradients. To be called after [#compute], which may have set it to 1.
  public void scaleGradients(float scale) {
    // 1 or -1 times the scale: exact.
    float scaled = (rule.maximize() ? -1 : 1) * scale;
    exactScale = scaled;
    gradientScale(scaled);
    clippedScale(1);
  }

  /// Sets [#averageTake].
  ///
  /// @param take NaN where parameters are not averaged
  public void averageParameters(float take) {
    if (!sameBits(take, averageTake)) {
      averageTake = take;
      version++;
    }
  }

  /// Unlike `==`, which holds NaN for changed at each step.
  private static boolean sameBits(float a, float b) {
    return Float.floatToRawIntBits(a) == Float.floatToRawIntBits(b);
  }

  /// The parameter's share that decays: see [#weightDecay].
  static double decayOf(Rule rule, Hyperparameters values) {
    double decay = values.orZero(Hyperparameter.WEIGHT_DECAY);
    double rate = values.orZero(Hyperparameter.LEARNING_RATE);
    return switch (rule.decay()) {
      case NONE, L2 -> decay;
      case DECOUPLED -> rate * decay;
      // w / (1 + x) is w - x / (1 + x) * w.
      case PROXIMAL -> rate * decay / (1 + rate * decay);
    };
  }

  /// Computes what does not depend on the step.
  private void decide(Rule rule, Hyperparameters values) {
    this.rule = rule;
    this.values = values;
    // Until all is computed: an error of the Java machine may end this in the middle.
    valuesVersion = UNKNOWN_VERSION;
    long decided = values.version();
    learningRate = values.orZero(Hyperparameter.LEARNING_RATE);
    learningRateDecay = values.orZero(Hyperparameter.LEARNING_RATE_DECAY);
    givenEpsilon = values.orZero(Hyperparameter.EPSILON);
    decay(decayOf(rule, values));
    gradientScale = rule.maximize() ? -1 : 1;
    epsilonInside = 0;
    epsilon = 0;
    firstShares.decide(rule, values);
    decideSecondMoment();
    nesterovShares.decide(rule, values);
    specials.decide(rule, values);
    version++;
    valuesVersion = decided;
  }

  private void decideSecondMoment() {
    sums = rule.secondMoment() == SecondMoment.SUM;
    rectifies = rule.secondMoment() == SecondMoment.RECTIFIED_AVERAGE;
    // SpecialCoefficients corrects a mixed moment.
    correctsSecond =
        rule.correctsSecondMoment() && rule.secondMoment() != SecondMoment.MIXED_AVERAGE;
    correctsInput = rule.momentumLast() && correctsSecond && !rectifies;
    epsilonFirst = rule.epsilonBeforeCorrection();
    secondBeta =
        values.orZero(
            rule.history() == History.DIFFERENCE_MOMENT
                ? Hyperparameter.BETA3
                : Hyperparameter.BETA2);
    secondMoment(sums ? 1 : secondBeta, sums ? 1 : 1 - secondBeta);
    divides = 1;
  }

  /// @param root of the second moment's correction
  /// @return the direction's factor
  private double rectify(long step, double root) {
    double rectification =
        Rectification.factor(secondBeta, secondPowers.power(secondBeta, step), step);
    divides(rectification > 0 ? 1 : 0);
    return rectification > 0 ? root * rectification : 1;
  }

  /// The largest float below, so that the rest is positive: an infinite state keeps its sign, where
  /// a rest of 0 or less would turn it NaN.
  private static float towardsZero(double value) {
    float nearest = (float) value;
    return nearest >= value && nearest > 0 ? Math.nextDown(nearest) : nearest;
  }
}
