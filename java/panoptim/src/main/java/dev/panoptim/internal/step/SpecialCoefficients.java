package dev.panoptim.internal.step;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.History;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.Update;

/// The coefficients that only few compositions need.
///
/// Each value of an axis that needs such coefficients has its own indexes into
/// [Coefficients#special], from 0 on. No composition has two of these values.
///
/// Mutable, so that a step need not allocate. Not thread-safe.
public final class SpecialCoefficients {
  /// `PANOPTIM_SPECIAL`.
  public static final int COUNT = 6;

  // Indexes, as in `special_numbers` in native/src/rule/update.h.

  public static final int DIRECTION_BOUND = 0;
  public static final int CURVATURE_SCALE = 0;
  public static final int MIXED_MOMENT = 0;
  public static final int MIXED_INPUT = 1;
  public static final int SLOW_DECAY = 0;
  public static final int SLOW_DECAY_REST = 1;
  public static final int SLOW_TAKE = 2;
  public static final int SLOW_SHARE = 3;
  public static final int SQUARED_DIFFERENCE = 4;
  public static final int DIFFERENCE_SCALE = 5;
  public static final int CORRECTION = 0;
  public static final int CORRECTED_SCALE = 1;
  public static final int AVERAGED_TAKE = 0;
  public static final int SHRINK = 0;
  public static final int GROW = 1;
  public static final int SMALLEST_STEP = 2;
  public static final int LARGEST_STEP = 3;
  public static final int INVERSE_RATE = 0;
  public static final int L1 = 1;
  public static final int DIVISOR_ADDEND = 2;
  public static final int Z_SHARE = 0;
  public static final int PARAMETER_STEP = 1;
  public static final int Z_STEP = 2;
  public static final int HAS_Z = 3;

  /// Added to a beta whose logarithm AdEMAMix's schedule of beta3 takes, because a beta may be 0.
  /// The authors' value.
  private static final double TINY = 1e-8;

  private static final double LOG_HALF = StrictMath.log(0.5);

  private final Coefficients target;
  private final Powers powers = new Powers();
  private final Powers otherPowers = new Powers();
  private Rule rule;
  private Hyperparameters values;
  private boolean used;

  SpecialCoefficients(Coefficients target) {
    this.target = target;
  }

  /// Whether [#compute] has an effect.
  boolean isUsed() {
    return used;
  }

  /// Sets the coefficients that do not depend on the step.
  void decide(Rule rule, Hyperparameters values) {
    this.rule = rule;
    this.values = values;
    used =
        rule.history() != History.NONE
            || rule.decay() == Decay.PROXIMAL
            || rule.secondMoment() == SecondMoment.DELAYED_AVERAGE
            || rule.secondMoment() == SecondMoment.MIXED_AVERAGE
            || rule.update() == Update.AVERAGED
            || rule.update() == Update.SCHEDULE_FREE
            || rule.secondMoment() == SecondMoment.BELIEF_AVERAGE;
    if (rule.secondMoment() == SecondMoment.CURVATURE_AVERAGE) {
      target.special(CURVATURE_SCALE, of(Hyperparameter.RHO) * of(Hyperparameter.BATCH_SIZE));
    }
    if (rule.update() == Update.SIGN_STEPS) {
      target.special(SHRINK, of(Hyperparameter.ETA_MINUS));
      target.special(GROW, of(Hyperparameter.ETA_PLUS));
      target.special(SMALLEST_STEP, of(Hyperparameter.SMALLEST_STEP));
      target.special(LARGEST_STEP, of(Hyperparameter.LARGEST_STEP));
    }
    if (rule.update() == Update.PROXIMAL) {
      double rate = of(Hyperparameter.LEARNING_RATE);
      target.special(INVERSE_RATE, 1 / rate);
      target.special(L1, of(Hyperparameter.L1));
      target.special(DIVISOR_ADDEND, 2 * of(Hyperparameter.L2) + of(Hyperparameter.BETA) / rate);
    }
  }

  /// Sets the coefficients that depend on the step.
  ///
  /// @param step the number of this step, counted from 1
  /// @param before the parameter's scalars before this step, in the order of [Rule#scalarNames()]
  /// @param size the step size from the learning rate and the bias corrections
  /// @return the step size
  double compute(long step, double[] before, double size) {
    switch (rule.secondMoment()) {
      case BELIEF_AVERAGE -> target.epsilonInside = (float) of(Hyperparameter.EPSILON);
      case MIXED_AVERAGE -> mix(step);
      case DELAYED_AVERAGE -> delay(step);
      default -> {}
    }
    switch (rule.history()) {
      case NONE -> {}
      case SLOW_MOMENT -> slow(step);
      case DIFFERENCE_MOMENT -> differ(step);
      case CORRECTED_GRADIENT -> {
        double beta1 = of(Hyperparameter.BETA1);
        double share = of(Hyperparameter.GAMMA) * beta1 / (1 - beta1);
        target.special(CORRECTION, step == 1 ? 0 : share);
        target.special(CORRECTED_SCALE, 1);
      }
    }
    return switch (rule.update()) {
      case AVERAGED -> average(step);
      case SCHEDULE_FREE -> {
        scheduleFree(step, before);
        // The learning rate is a factor of PARAMETER_STEP and Z_STEP instead.
        double rate = of(Hyperparameter.LEARNING_RATE);
        yield rate == 0 ? 0 : size / rate;
      }
      default ->
          rule.decay() == Decay.PROXIMAL
              ? size / (1 + of(Hyperparameter.LEARNING_RATE) * of(Hyperparameter.WEIGHT_DECAY))
              : size;
    };
  }

  private double of(Hyperparameter name) {
    return values.orZero(name);
  }

  private void mix(long step) {
    double share = of(Hyperparameter.NU2);
    double correction =
        rule.biasCorrection() ? 1 - powers.power(of(Hyperparameter.BETA2), step) : 1;
    target.special(MIXED_MOMENT, share / correction);
    target.special(MIXED_INPUT, 1 - share);
  }

  /// The coefficients of ADOPT. The first step only sets the second moment: its direction is
  /// clamped to 0, and nothing decays.
  private void delay(long step) {
    double beta = of(Hyperparameter.BETA2);
    boolean first = step == 1;
    target.special(
        DIRECTION_BOUND, first ? 0 : Powers.realPower(step - 1, of(Hyperparameter.CLIP_POWER)));
    target.secondMoment(first ? 0 : beta, first ? 1 : 1 - beta);
    if (rule.decay() != Decay.L2) {
      target.decay(first ? 0 : Coefficients.decayOf(rule, values));
    }
  }

  /// The coefficients of AdEMAMix's slow moment.
  private void slow(long step) {
    double beta1 = of(Hyperparameter.BETA1);
    double last = of(Hyperparameter.BETA3);
    double warmup = of(Hyperparameter.WARMUP_STEPS);
    double progress = warmup > step ? step / warmup : 1;
    double beta = last;
    if (progress < 1) {
      double halfLife = (1 - progress) * halfLife(beta1) + progress * halfLife(last);
      beta = Math.min(last, StrictMath.exp(LOG_HALF / (halfLife + 1)));
    }
    target.specialMoment(SLOW_DECAY, beta);
    // The step size contains the bias correction of the first moment, as a factor of both moments.
    // The slow moment has no correction, so its share is divided by that factor.
    double correction = rule.biasCorrection() ? 1 - powers.power(beta1, step) : 1;
    target.special(SLOW_SHARE, of(Hyperparameter.ALPHA) * progress * correction);
  }

  /// The half-life of a moving average in steps, less one.
  private static double halfLife(double beta) {
    return LOG_HALF / StrictMath.log(beta + TINY) - 1;
  }

  /// The coefficients of Adan's moment of differences.
  private void differ(long step) {
    double beta = of(Hyperparameter.BETA2);
    target.specialMoment(SLOW_DECAY, beta);
    double correction =
        rule.biasCorrection()
            ? (1 - powers.power(of(Hyperparameter.BETA1), step))
                / (1 - otherPowers.power(beta, step))
            : 1;
    target.special(SLOW_SHARE, beta * correction);
    target.special(SQUARED_DIFFERENCE, beta);
    target.special(DIFFERENCE_SCALE, step == 1 ? 0 : 1);
  }

  /// The coefficients of ASGD.
  ///
  /// @return the step size
  private double average(long step) {
    double rate = of(Hyperparameter.LEARNING_RATE);
    double lambd = of(Hyperparameter.LAMBD);
    double size = rate / Powers.realPower(1 + lambd * rate * (step - 1), of(Hyperparameter.POWER));
    double decay = rule.decay() == Decay.NONE ? 0 : of(Hyperparameter.WEIGHT_DECAY);
    target.decay(size * (decay + lambd));
    target.special(AVERAGED_TAKE, 1 / Math.max(1, step - 1 - of(Hyperparameter.AVERAGING_START)));
    return size;
  }

  private void scheduleFree(long step, double[] before) {
    double rate = of(Hyperparameter.LEARNING_RATE);
    double warmup = of(Hyperparameter.WARMUP_STEPS);
    if (warmup > step) {
      rate *= step / warmup;
    }
    double largest = Math.max(before[1], rate);
    double weight =
        Powers.realPower(step, of(Hyperparameter.WEIGHT_POWER))
            * Powers.realPower(largest, of(Hyperparameter.LEARNING_RATE_POWER));
    double sum = before[0] + weight;
    double share = sum > 0 ? weight / sum : 0;
    target.special(Z_SHARE, share);
    target.special(PARAMETER_STEP, rate * (of(Hyperparameter.BETA1) * (1 - share) - 1));
    target.special(Z_STEP, rate);
    target.special(HAS_Z, step == 1 ? 0 : 1);
    target.decay(of(Hyperparameter.WEIGHT_DECAY));
    target.scalars[0] = sum;
    target.scalars[1] = largest;
    // Whether the parameter is evaluated, which no step changes.
    target.scalars[2] = before[2];
  }
}
