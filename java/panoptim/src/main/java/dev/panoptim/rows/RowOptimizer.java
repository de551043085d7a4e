package dev.panoptim.rows;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.Update;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/// How the rows of a table are updated. A row's gradient is the sum of all gradients that a step
/// has for it; t counts the steps of the table.
///
/// ```java
/// RowOptimizer.adam(1e-3).betas(0.9, 0.99).missedSteps(MissedSteps.APPLIED)
/// ```
///
/// Immutable and thread-safe: methods return changed copies.
public final class RowOptimizer {
  private enum Kind {
    SGD("sgd"),
    ADAGRAD("adagrad"),
    ROW_WISE_ADAGRAD("rowWiseAdagrad"),
    ADAM("adam"),
    ADAM_W("adamW"),
    FTRL("ftrl");

    private final String label;

    Kind(String label) {
      this.label = label;
    }
  }

  private final Kind kind;
  private final Map<Hyperparameter, Double> values;
  private final boolean nesterov;
  private final MissedSteps missedSteps;

  private RowOptimizer(
      Kind kind, Map<Hyperparameter, Double> values, boolean nesterov, MissedSteps missedSteps) {
    this.kind = kind;
    this.values = values;
    this.nesterov = nesterov;
    this.missedSteps = missedSteps;
  }

  private static RowOptimizer of(Kind kind, double learningRate) {
    return new RowOptimizer(kind, Map.of(), false, MissedSteps.SKIPPED)
        .set(Hyperparameter.LEARNING_RATE, learningRate);
  }

  /// Gradient descent, `w = w - learningRate * g`. With [#momentum], rows that have no gradient
  /// keep their momentum.
  ///
  /// @throws IllegalArgumentException if the learning rate is no finite number of 0 or more
  public static RowOptimizer sgd(double learningRate) {
    return of(Kind.SGD, learningRate)
        .set(Hyperparameter.MOMENTUM, 0)
        .set(Hyperparameter.DAMPENING, 0);
  }

  /// Adagrad: `v = v + g * g`, `w = w - learningRate * g / (sqrt(v) + epsilon)`. Rows without a
  /// gradient stay as they are, so the result is that of a dense Adagrad. Epsilon is 1e-10, and v
  /// starts at 0.
  ///
  /// Source: [Duchi, Hazan and Singer 2011](https://jmlr.org/papers/v12/duchi11a.html).
  ///
  /// @throws IllegalArgumentException if the learning rate is no finite number of 0 or more
  public static RowOptimizer adagrad(double learningRate) {
    return of(Kind.ADAGRAD, learningRate)
        .set(Hyperparameter.EPSILON, 1e-10)
        .set(Hyperparameter.INITIAL_ACCUMULATOR, 0);
  }

  /// Adagrad with one float of state for each row: `v = v + mean(g * g)`, `w = w - learningRate * g
  /// / (sqrt(v) + epsilon)`. Epsilon is 1e-10, and v starts at 0.
  ///
  /// Source: FBGEMM's
  /// [`EXACT_ROWWISE_ADAGRAD`](https://docs.pytorch.org/FBGEMM/fbgemm_gpu/fbgemm_gpu-python-api/tbe_ops_training.html).
  ///
  /// @throws IllegalArgumentException if the learning rate is no finite number of 0 or more
  public static RowOptimizer rowWiseAdagrad(double learningRate) {
    return of(Kind.ROW_WISE_ADAGRAD, learningRate)
        .set(Hyperparameter.EPSILON, 1e-10)
        .set(Hyperparameter.INITIAL_ACCUMULATOR, 0);
  }

  /// Adam with betas 0.9 and 0.999 and epsilon 1e-8. What rows do in steps without a gradient is a
  /// choice: [#missedSteps].
  ///
  /// Source: [Kingma and Ba 2015](https://arxiv.org/abs/1412.6980).
  ///
  /// @throws IllegalArgumentException if the learning rate is no finite number of 0 or more
  public static RowOptimizer adam(double learningRate) {
    return of(Kind.ADAM, learningRate).adamDefaults();
  }

  /// AdamW: as [#adam], with a decoupled weight decay of 0.01.
  ///
  /// Source: [Loshchilov and Hutter 2019](https://arxiv.org/abs/1711.05101).
  ///
  /// @throws IllegalArgumentException if the learning rate is no finite number of 0 or more
  public static RowOptimizer adamW(double learningRate) {
    return of(Kind.ADAM_W, learningRate).adamDefaults().set(Hyperparameter.WEIGHT_DECAY, 0.01);
  }

  private RowOptimizer adamDefaults() {
    return set(Hyperparameter.BETA1, 0.9)
        .set(Hyperparameter.BETA2, 0.999)
        .set(Hyperparameter.EPSILON, 1e-8);
  }

  /// FTRL-Proximal: see [dev.panoptim.optim.Ftrl], with its defaults; n starts at 0.1. The weights
  /// follow from the sums alone, so the first values of rows are without effect, and should be 0.
  ///
  /// @throws IllegalArgumentException if the learning rate is no finite number above 0
  public static RowOptimizer ftrl(double learningRate) {
    if (learningRate == 0) {
      throw new IllegalArgumentException("learningRate is 0.0, but FTRL needs one above 0");
    }
    return of(Kind.FTRL, learningRate)
        .set(Hyperparameter.INITIAL_ACCUMULATOR, 0.1)
        .set(Hyperparameter.L1, 0)
        .set(Hyperparameter.L2, 0)
        .set(Hyperparameter.BETA, 0);
  }

  /// @param value from 0 to 1
  /// @throws IllegalArgumentException if it is out of range, or this is not [#sgd]
  public RowOptimizer momentum(double value) {
    return change(Hyperparameter.MOMENTUM, value);
  }

  /// Whether to use Nesterov momentum, which needs a momentum above 0 when a table is built.
  ///
  /// @throws IllegalArgumentException if this is not [#sgd]
  public RowOptimizer nesterov(boolean value) {
    require(kind == Kind.SGD, "nesterov");
    return new RowOptimizer(kind, values, value, missedSteps);
  }

  /// @param beta1 from 0 to 1 exclusively
  /// @param beta2 from 0 to 1 exclusively
  /// @throws IllegalArgumentException if one is out of range, or this is neither [#adam] nor
  ///   [#adamW]
  public RowOptimizer betas(double beta1, double beta2) {
    return change(Hyperparameter.BETA1, beta1).change(Hyperparameter.BETA2, beta2);
  }

  /// @param value a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not, or this optimizer has no epsilon
  public RowOptimizer epsilon(double value) {
    return change(Hyperparameter.EPSILON, value);
  }

  /// @param value a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not, or this is not [#adamW]
  public RowOptimizer weightDecay(double value) {
    return change(Hyperparameter.WEIGHT_DECAY, value);
  }

  /// The initial value of each sum of squares.
  ///
  /// @param value a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not, or this is neither Adagrad nor FTRL
  public RowOptimizer initialAccumulator(double value) {
    return change(Hyperparameter.INITIAL_ACCUMULATOR, value);
  }

  /// The factor of `|w|` in the loss.
  ///
  /// @param value a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not, or this is not [#ftrl]
  public RowOptimizer l1(double value) {
    return change(Hyperparameter.L1, value);
  }

  /// The factor of `w * w` in the loss.
  ///
  /// @param value a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not, or this is not [#ftrl]
  public RowOptimizer l2(double value) {
    return change(Hyperparameter.L2, value);
  }

  /// What happens in steps in which a row has no gradient; by default they are skipped. If they are
  /// applied, the square of beta1 must be below beta2 when a table is built, or beta1 be 0.
  ///
  /// @throws IllegalArgumentException if they are to be applied, and this is neither [#adam] nor
  ///   [#adamW]
  public RowOptimizer missedSteps(MissedSteps value) {
    Objects.requireNonNull(value, "missedSteps is null");
    require(
        value == MissedSteps.SKIPPED || kind == Kind.ADAM || kind == Kind.ADAM_W,
        "missedSteps " + value);
    return new RowOptimizer(kind, values, nesterov, value);
  }

  private RowOptimizer change(Hyperparameter name, double value) {
    require(values.containsKey(name), name.label());
    return set(name, value);
  }

  private void require(boolean has, String option) {
    if (!has) {
      throw new IllegalArgumentException("%s has no %s".formatted(kind.label, option));
    }
  }

  private RowOptimizer set(Hyperparameter name, double value) {
    Map<Hyperparameter, Double> changed = new EnumMap<>(Hyperparameter.class);
    changed.putAll(values);
    changed.put(name, name.check(value));
    return new RowOptimizer(kind, Map.copyOf(changed), nesterov, missedSteps);
  }

  /// The composition. A row-wise optimizer has that of gradient descent, whose step size the row
  /// divides.
  Rule rule() {
    Rule.Builder rule = Rule.builder();
    switch (kind) {
      case SGD -> {
        boolean momentum = values.get(Hyperparameter.MOMENTUM) != 0 || nesterov;
        rule.firstMoment(momentum ? FirstMoment.HEAVY_BALL : FirstMoment.NONE)
            .nesterov(nesterov ? Nesterov.NESTEROV : Nesterov.NONE);
      }
      case ADAGRAD -> rule.secondMoment(SecondMoment.SUM);
      case ROW_WISE_ADAGRAD -> {}
      case ADAM, ADAM_W ->
          rule.firstMoment(FirstMoment.MOVING_AVERAGE)
              .secondMoment(SecondMoment.MOVING_AVERAGE)
              .biasCorrection(true)
              .decay(kind == Kind.ADAM_W ? Decay.DECOUPLED : Decay.NONE);
      case FTRL -> rule.secondMoment(SecondMoment.SUM).update(Update.PROXIMAL);
    }
    return rule.build();
  }

  /// The hyperparameters of the rule; a new object at each call.
  Hyperparameters hyperparameters() {
    Rule rule = rule();
    Map<Hyperparameter, Double> all = new EnumMap<>(Hyperparameter.class);
    for (Hyperparameter each : rule.hyperparameters()) {
      all.put(each, values.getOrDefault(each, 0.0));
    }
    return new Hyperparameters(rule, all);
  }

  /// Checks combinations of options; each has been checked alone.
  ///
  /// @throws IllegalArgumentException if options do not fit together
  void requireConsistent() {
    hyperparameters();
    if (missedSteps == MissedSteps.APPLIED) {
      double beta1 = values.get(Hyperparameter.BETA1);
      double beta2 = values.get(Hyperparameter.BETA2);
      // Else the movement of a row that stays away has no bound but epsilon.
      if (beta1 > 0 && beta1 * beta1 >= beta2) {
        throw new IllegalArgumentException(
            "beta1 is %s and beta2 %s, but with missedSteps APPLIED the square of beta1 must be below beta2"
                .formatted(beta1, beta2));
      }
    }
  }

  boolean isRowWise() {
    return kind == Kind.ROW_WISE_ADAGRAD;
  }

  /// Of a row-wise optimizer; others have it among their hyperparameters.
  double epsilon() {
    return values.getOrDefault(Hyperparameter.EPSILON, 0.0);
  }

  boolean appliesMissedSteps() {
    return missedSteps == MissedSteps.APPLIED;
  }

  /// The first value of sums of squares; 0 if there are none.
  float firstSum() {
    return values.getOrDefault(Hyperparameter.INITIAL_ACCUMULATOR, 0.0).floatValue();
  }

  /// All that decides what a table has and how it learns, except what may change between steps.
  String describe() {
    Map<Hyperparameter, Double> fixed = new EnumMap<>(Hyperparameter.class);
    fixed.putAll(values);
    fixed.remove(Hyperparameter.LEARNING_RATE);
    return "%s %s%s, missed steps %s"
        .formatted(kind.label, fixed, nesterov ? ", nesterov" : "", missedSteps);
  }

  @Override
  public String toString() {
    return describe() + ", learning rate " + values.get(Hyperparameter.LEARNING_RATE);
  }
}
