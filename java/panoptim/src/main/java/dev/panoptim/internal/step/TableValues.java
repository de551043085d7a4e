package dev.panoptim.internal.step;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;

/// The coefficients of a table's step, and those of the steps that rows have missed.
///
/// A row that was not in the last steps makes them, with a gradient of 0, when it is needed again.
/// The last few are made one by one, with the coefficients that they had then: the bits are those
/// of a dense step. The steps before are made together, in powers of two. For k steps from step t
/// on, parameters move by
///
///     step size * (r + r^2 + ... + r^k) * m / (root(v) + epsilon),   r = beta1 / root(beta2)
///
/// which is the sum of k steps in which m and v decay and epsilon is small beside root(v), with the
/// present learning rate and the bias correction of the step in the middle of the movement.
///
/// Not thread-safe. Steps allocate nothing.
public final class TableValues {
  /// Powers of two of missed steps: `PANOPTIM_ROW_GAPS`. A test compares the two.
  public static final int GAPS = 40;

  private static final double[] NO_SCALARS = new double[0];

  private final Rule rule;
  private final Hyperparameters values;
  private final boolean rowWise;
  private final double rowWiseEpsilon;

  /// The coefficients of the last steps, and of this one; that of step s is at s modulo the length.
  private final Coefficients[] steps;

  /// The learning rates of the same steps.
  private final double[] learningRates;

  /// For 2^k steps: what moves the parameter.
  private final Coefficients[] moves;

  /// For 2^k steps: what makes the moments decay.
  private final Coefficients[] decays;

  /// For 2^k steps: the sum of powers of the ratio.
  private final double[] movements;

  /// For 2^k steps: the step, from 0 on, in the middle of the movement.
  private final long[] middles;

  /// To the power of 2^k.
  private final double[] firstPowers;

  private final double[] secondPowers;

  private long step;
  private long gapsVersion = -1;

  /// @param values of the rule; the caller may change them between steps
  /// @param rowWiseEpsilon added to the root of a row's sum, if the layout is row-wise
  public TableValues(TableLayout layout, Hyperparameters values, double rowWiseEpsilon) {
    this.rowWiseEpsilon = rowWiseEpsilon;
    rowWise = layout.rowWise();
    rule = layout.rule();
    this.values = values;
    steps = new Coefficients[layout.replayed() + 1];
    learningRates = new double[steps.length];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = new Coefficients();
    }
    int gaps = layout.makesMissedSteps() ? GAPS : 0;
    moves = new Coefficients[gaps];
    decays = new Coefficients[gaps];
    movements = new double[gaps];
    middles = new long[gaps];
    firstPowers = new double[gaps];
    secondPowers = new double[gaps];
    for (int i = 0; i < gaps; i++) {
      moves[i] = new Coefficients();
      decays[i] = new Coefficients();
    }
  }

  /// Computes the coefficients of a step. Steps follow one another.
  ///
  /// @param number of the step, counted from 1
  public void begin(long number) {
    step = number;
    learningRates[place(number)] = values.get(Hyperparameter.LEARNING_RATE);
    compute(number);
    if (moves.length > 0 && gapsVersion != values.version()) {
      decideGaps();
      gapsVersion = values.version();
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

  /// The number of powers of two of steps that are made together; 0 if rows make no missed steps.
  public int gapCount() {
    return moves.length;
  }

  /// What moves the parameter by 2^power steps, but for step size and epsilon: see [#move].
  public Coefficients moves(int power) {
    return moves[power];
  }

  /// What makes the moments decay by 2^power steps.
  public Coefficients decays(int power) {
    return decays[power];
  }

  /// The sum of the first 2^power powers of the ratio.
  public double movement(int power) {
    return movements[power];
  }

  /// The step, from 0 on, in the middle of the movement by 2^power steps.
  public long middle(int power) {
    return middles[power];
  }

  /// Beta1 to the power of 2^power.
  public double firstPower(int power) {
    return firstPowers[power];
  }

  /// Beta2 to the power of 2^power.
  public double secondPower(int power) {
    return secondPowers[power];
  }

  /// What moves the parameter by 2^power steps from a step on. Native code computes the same.
  Coefficients move(int power, long from) {
    long corrected = from + middles[power];
    double first = 1;
    double second = 1;
    for (int i = 0; i < GAPS; i++) {
      if ((corrected >> i & 1) != 0) {
        first *= firstPowers[i];
        second *= secondPowers[i];
      }
    }
    double root = Math.sqrt(1 - second);
    Coefficients move = moves[power];
    move.step(learningRate() * root / (1 - first) * movements[power]);
    move.epsilon = (float) (epsilon() * root);
    return move;
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

  /// Added to the root of a row's sum, or of the second moment.
  public double epsilon() {
    return rowWise ? rowWiseEpsilon : values.orZero(Hyperparameter.EPSILON);
  }

  /// Computes what depends on the hyperparameters alone.
  private void decideGaps() {
    double beta1 = values.orZero(Hyperparameter.BETA1);
    double beta2 = values.orZero(Hyperparameter.BETA2);
    double kept = 1 - Coefficients.decayOf(rule, values);
    double ratio = beta1 == 0 ? 0 : beta1 / Math.sqrt(beta2);
    double movement = ratio;
    double ratioPower = ratio;
    // The sum of j * r^j.
    double weighted = ratio;
    for (int power = 0; power < GAPS; power++) {
      movements[power] = movement;
      firstPowers[power] = beta1;
      secondPowers[power] = beta2;
      moves[power].withoutGradient(1, 1, rule.decay() == Decay.DECOUPLED ? 1 - kept : 0);
      decays[power].withoutGradient(beta1, beta2, 0);
      // Moments of 0 have a direction, which is not used, of 0 instead of NaN.
      decays[power].epsilon = (float) epsilon();
      middles[power] = movement > 0 ? Math.round(weighted / movement) - 1 : 0;
      weighted += ratioPower * (weighted + Math.scalb(movement, power));
      movement += ratioPower * movement;
      ratioPower *= ratioPower;
      beta1 *= beta1;
      beta2 *= beta2;
      kept *= kept;
    }
  }
}
