package dev.panoptim.internal.step;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;

/// The coefficients of a table's step, and those of the steps that rows have missed.
///
/// A row that was not in the last steps makes them, with a gradient of 0, when it is needed again.
/// The last few are made one by one, with the coefficients that they had then: the bits are those
/// of a dense step. The steps before are made together, in powers of two. Then parameters move by
///
///     step size * (r + r^2 + ... + r^k) * m / (root(v) + epsilon),   r = beta1 / root(beta2)
///
/// which is the sum of k steps in which m and v decay and epsilon is small beside root(v), and all
/// of them use the present learning rate and bias correction.
///
/// Not thread-safe. Steps allocate nothing.
public final class TableValues {
  /// Powers of two of missed steps: `PANOPTIM_ROW_GAPS`. A test compares the two.
  public static final int GAPS = 40;

  private static final double[] NO_SCALARS = new double[0];

  private final Rule rule;
  private final Hyperparameters values;
  private final double rowWiseEpsilon;

  /// The coefficients of the last steps, and of this one; that of step s is at s modulo the length.
  private final Coefficients[] steps;

  /// The learning rates of the same steps.
  private final double[] learningRates;

  /// For 2^k steps: at 2 k what moves the parameter, at 2 k + 1 what makes the moments decay.
  private final Coefficients[] gaps;

  /// For 2^k steps: the sum of powers of the ratio.
  private final double[] movements;

  private long step;
  private long gapsVersion = -1;

  /// @param values of the rule; the caller may change them between steps
  /// @param rowWiseEpsilon added to the root of a row's sum, if the layout is row-wise
  public TableValues(TableLayout layout, Hyperparameters values, double rowWiseEpsilon) {
    this.rowWiseEpsilon = rowWiseEpsilon;
    rule = layout.rule();
    this.values = values;
    steps = new Coefficients[layout.replayed() + 1];
    learningRates = new double[steps.length];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = new Coefficients();
    }
    gaps = new Coefficients[layout.makesMissedSteps() ? 2 * GAPS : 0];
    movements = new double[gaps.length / 2];
    for (int i = 0; i < gaps.length; i++) {
      gaps[i] = new Coefficients();
    }
  }

  /// Computes the coefficients of a step. Steps follow one another.
  ///
  /// @param number of the step, counted from 1
  public void begin(long number) {
    step = number;
    learningRates[place(number)] = values.get(Hyperparameter.LEARNING_RATE);
    compute(number);
    if (gaps.length > 0) {
      computeGaps();
    }
  }

  private void compute(long number) {
    Coefficients c = steps[place(number)];
    c.compute(rule, values, number, NO_SCALARS);
    c.scaleGradients(1);
    c.averageParameters(Float.NaN);
  }

  private int place(long number) {
    return (int) (number % steps.length);
  }

  /// The number of this step.
  public long step() {
    return step;
  }

  /// The coefficients of this step.
  public Coefficients coefficients() {
    return missed(step);
  }

  /// The coefficients of one of the last steps.
  public Coefficients missed(long number) {
    return steps[place(number)];
  }

  /// The coefficients for missed steps in powers of two.
  public Coefficients gap(int index) {
    return gaps[index];
  }

  /// The number of [#gap] coefficients.
  public int gapCount() {
    return gaps.length;
  }

  /// The learning rate of one of the last steps.
  public double learningRate(long number) {
    return learningRates[place(number)];
  }

  /// Computes the coefficients of the last steps again.
  ///
  /// @param last the number of the last step
  /// @param rates the learning rates of the last steps, the last one at the end. Steps before had
  ///   the present one
  public void restore(long last, double[] rates) {
    double now = values.get(Hyperparameter.LEARNING_RATE);
    for (long number = Math.max(last - steps.length + 2, 1); number <= last; number++) {
      long index = rates.length - 1 - (last - number);
      double rate = index < 0 ? now : rates[(int) index];
      values.set(Hyperparameter.LEARNING_RATE, rate);
      learningRates[place(number)] = rate;
      compute(number);
    }
    values.set(Hyperparameter.LEARNING_RATE, now);
    step = last;
  }

  /// The kind of decay that the composition of this step has.
  public Decay decay() {
    return values.orZero(Hyperparameter.WEIGHT_DECAY) == 0 ? Decay.NONE : rule.decay();
  }

  public double learningRate() {
    return values.get(Hyperparameter.LEARNING_RATE);
  }

  /// Added to the root of a row's sum.
  public double rowWiseEpsilon() {
    return rowWiseEpsilon;
  }

  private void computeGaps() {
    Coefficients now = coefficients();
    if (gapsVersion != values.version()) {
      decideGaps();
      gapsVersion = values.version();
    }
    for (int power = 0; power < GAPS; power++) {
      Coefficients move = gaps[2 * power];
      move.step(now.stepSize * movements[power]);
      move.epsilon = now.epsilon;
      gaps[2 * power + 1].epsilon = now.epsilon;
    }
  }

  /// Computes what depends on the hyperparameters alone.
  private void decideGaps() {
    double beta1 = values.orZero(Hyperparameter.BETA1);
    double beta2 = values.orZero(Hyperparameter.BETA2);
    double kept = 1 - Coefficients.decayOf(rule, values);
    double ratio = beta1 == 0 ? 0 : beta1 / Math.sqrt(beta2);
    double movement = ratio;
    double ratioPower = ratio;
    for (int power = 0; power < GAPS; power++) {
      movements[power] = movement;
      gaps[2 * power].withoutGradient(1, 1, rule.decay() == Decay.DECOUPLED ? 1 - kept : 0);
      gaps[2 * power + 1].withoutGradient(beta1, beta2, 0);
      movement += ratioPower * movement;
      ratioPower *= ratioPower;
      beta1 *= beta1;
      beta2 *= beta2;
      kept *= kept;
    }
  }
}
