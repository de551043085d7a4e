package dev.panoptim.rule;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// A composition of the framework. All optimizers from SGD to AdamW are cases of it:
/// 1. gradient: negated to maximize, plus L2 decay;
/// 2. first and second moment;
/// 3. direction: the first moment over the root of the second;
/// 4. update: the parameter minus learning rate times direction, minus decoupled decay.
///
/// Two more axes serve other optimizers: [History] has further states of past gradients, and
/// [Update] has formulas that replace the fourth line.
///
/// A composition without a name is one expression:
///
/// ```java
/// Rule rule =
///     Rule.builder()
///         .firstMoment(FirstMoment.MOVING_AVERAGE)
///         .nesterov(Nesterov.NESTEROV)
///         .secondMoment(SecondMoment.CENTERED_AVERAGE)
///         .decay(Decay.DECOUPLED)
///         .build();
/// ```
///
/// Immutable. Each parameter group has values of the rule's [Hyperparameters], which may change
/// between steps.
///
/// @param firstMoment the numerator of the direction
/// @param nesterov whether the direction mixes the first moment with its input
/// @param secondMoment the direction is divided by its root
/// @param momentumLast whether the first moment is of the divided gradient, as in RMSprop, instead
///   of the gradient
/// @param epsilonInside whether epsilon is added to the second moment, instead of its root
/// @param unitCorrection whether the direction is multiplied by the root of the moving average of
///   its own squares, as in Adadelta
/// @param sign whether the direction is replaced by its sign, as in Lion
/// @param biasCorrection whether moving averages, which start at 0, are divided by `1 - beta^t`
/// @param epsilonBeforeCorrection whether epsilon is added to the root of the second moment before
///   that root is divided by `root(1 - beta2^t)`, instead of after; with `epsilonInside`, to the
///   second moment before it is divided by `1 - beta2^t`
/// @param decay how weight decay acts
/// @param history the states of past gradients besides the moments
/// @param update how the direction changes the parameter
/// @param tensorFactor what multiplies the step of each tensor
/// @param orthogonalization whether and how the direction of a matrix is orthogonalized
/// @param adjustment the factor of an orthogonalized matrix by its shape
/// @param maximize whether the loss is maximized
public record Rule(
    FirstMoment firstMoment,
    Nesterov nesterov,
    SecondMoment secondMoment,
    boolean momentumLast,
    boolean epsilonInside,
    boolean unitCorrection,
    boolean sign,
    boolean biasCorrection,
    boolean epsilonBeforeCorrection,
    Decay decay,
    History history,
    Update update,
    TensorFactor tensorFactor,
    Orthogonalization orthogonalization,
    Adjustment adjustment,
    boolean maximize) {
  /// The name of the scalar that is a product of scheduled momenta.
  public static final String MOMENTUM_PRODUCT = "momentumProduct";

  /// The name of the scalar that is 1 while a schedule-free parameter lies at the average.
  public static final String EVALUATION = "evaluation";

  private static final String ROW_MEANS = "rowMeans";
  private static final String COLUMN_MEANS = "columnMeans";
  private static final List<Long> WITHOUT_ELEMENTS = List.of(0L);

  /// @throws IllegalArgumentException if the composition is illegal; the message has the reason
  public Rule {
    Objects.requireNonNull(firstMoment, "firstMoment is null");
    Objects.requireNonNull(nesterov, "nesterov is null");
    Objects.requireNonNull(secondMoment, "secondMoment is null");
    Objects.requireNonNull(decay, "decay is null");
    Objects.requireNonNull(history, "history is null");
    Objects.requireNonNull(update, "update is null");
    Objects.requireNonNull(tensorFactor, "tensorFactor is null");
    Objects.requireNonNull(orthogonalization, "orthogonalization is null");
    Objects.requireNonNull(adjustment, "adjustment is null");
    new RuleChecks(
            firstMoment,
            nesterov,
            secondMoment,
            momentumLast,
            epsilonInside,
            unitCorrection,
            sign,
            biasCorrection,
            epsilonBeforeCorrection,
            decay,
            history,
            update,
            tensorFactor,
            orthogonalization,
            adjustment)
        .requireLegal();
  }

  /// Compares all parts. Not generated as for other records: with JDK 25, the generated methods
  /// keep the class loader of the record reachable once they have run, and an application that uses
  /// it can then not be unloaded.
  @Override
  public boolean equals(Object other) {
    return other instanceof Rule rule && parts().equals(rule.parts());
  }

  @Override
  public int hashCode() {
    return parts().hashCode();
  }

  private List<Object> parts() {
    return List.of(
        firstMoment,
        nesterov,
        secondMoment,
        momentumLast,
        epsilonInside,
        unitCorrection,
        sign,
        biasCorrection,
        epsilonBeforeCorrection,
        decay,
        history,
        update,
        tensorFactor,
        orthogonalization,
        adjustment,
        maximize);
  }

  /// Starts from plain gradient descent: no moments, no decay.
  public static Builder builder() {
    return new Builder();
  }

  /// Starts from this composition.
  public Builder toBuilder() {
    return new Builder(this);
  }

  /// The same composition, which maximizes the loss.
  public Rule maximizing() {
    return toBuilder().maximize(true).build();
  }

  public boolean hasFirstMoment() {
    return firstMoment != FirstMoment.NONE;
  }

  public boolean hasSecondMoment() {
    return secondMoment != SecondMoment.NONE;
  }

  /// Whether the second moment has a second state: its maximum, or the gradient's mean.
  public boolean hasSecondary() {
    return secondMoment == SecondMoment.MAXIMUM_OF_AVERAGE
        || secondMoment == SecondMoment.CENTERED_AVERAGE;
  }

  /// Whether a step needs sums over the elements of each tensor, and so a pass to measure them:
  /// with a [TensorFactor], [Update#CAUTIOUS] or [History#CORRECTED_GRADIENT].
  public boolean isMeasured() {
    return tensorFactor != TensorFactor.NONE
        || update == Update.CAUTIOUS
        || history == History.CORRECTED_GRADIENT;
  }

  /// Whether the direction of each parameter is orthogonalized, for which it must be a matrix.
  public boolean isOfMatrices() {
    return orthogonalization != Orthogonalization.NONE;
  }

  /// Whether the second moment of a matrix is kept as means of its rows and columns.
  public boolean isFactored() {
    return secondMoment == SecondMoment.FACTORED_AVERAGE;
  }

  /// Whether only backends of the cpu can make its steps: with an orthogonalization, or if it
  /// [#isFactored].
  public boolean needsCpu() {
    return isOfMatrices() || isFactored();
  }

  /// Whether the second moment has a bias correction.
  public boolean correctsSecondMoment() {
    return biasCorrection && RuleChecks.CORRECTABLE.contains(secondMoment);
  }

  /// The names of the states of each parameter, in the order in which they are stored:
  /// `firstMoment`, `secondMoment`, `rowMeans` and `columnMeans`, `maximum` or `mean`, `units`,
  /// `slowMoment` or `differenceMoment`, `previousGradient`, `parameterAverage`, `stepSizes`, `z`,
  /// if the rule has them.
  public List<String> stateNames() {
    List<String> names = new ArrayList<>();
    if (hasFirstMoment()) {
      names.add("firstMoment");
    }
    if (hasSecondMoment()) {
      names.add("secondMoment");
    }
    if (isFactored()) {
      names.addAll(List.of(ROW_MEANS, COLUMN_MEANS));
    }
    if (hasSecondary()) {
      names.add(secondMoment == SecondMoment.MAXIMUM_OF_AVERAGE ? "maximum" : "mean");
    }
    if (unitCorrection) {
      names.add("units");
    }
    switch (history) {
      case NONE -> {}
      case SLOW_MOMENT -> names.add("slowMoment");
      case DIFFERENCE_MOMENT -> names.addAll(List.of("differenceMoment", "previousGradient"));
      case CORRECTED_GRADIENT -> names.add("previousGradient");
    }
    switch (update) {
      case DESCENT, CAUTIOUS -> {}
      case AVERAGED -> names.add("parameterAverage");
      case SIGN_STEPS -> names.addAll(List.of("previousGradient", "stepSizes"));
      case PROXIMAL, SCHEDULE_FREE -> names.add("z");
    }
    return List.copyOf(names);
  }

  /// The extents of one of [#stateNames()] of a parameter with some extents: the same, unless the
  /// rule [#isFactored]. Then `rowMeans` has the last extent 1, `columnMeans` the last but one, and
  /// `secondMoment` has no elements. Of a parameter with less than two dimensions or without
  /// elements, it is the means that have none.
  ///
  /// @throws IllegalArgumentException if the rule has no state of that name
  public List<Long> stateShape(String name, List<Long> shape) {
    if (!stateNames().contains(name)) {
      throw new IllegalArgumentException(
          "name is %s, but must be one of %s".formatted(name, stateNames()));
    }
    if (!isFactored() || name.equals("firstMoment")) {
      return shape;
    }
    boolean hasMeans = shape.size() >= 2 && !shape.contains(0L);
    return switch (name) {
      case ROW_MEANS -> hasMeans ? withOne(shape, shape.size() - 1) : WITHOUT_ELEMENTS;
      case COLUMN_MEANS -> hasMeans ? withOne(shape, shape.size() - 2) : WITHOUT_ELEMENTS;
      default -> hasMeans ? WITHOUT_ELEMENTS : shape;
    };
  }

  private static List<Long> withOne(List<Long> shape, int dimension) {
    List<Long> changed = new ArrayList<>(shape);
    changed.set(dimension, 1L);
    return List.copyOf(changed);
  }

  /// The names of the scalars of each parameter: numbers that a step hands to the parameter's next
  /// step. With [Nesterov#SCHEDULED]: `momentumProduct`, the product of all scheduled momenta so
  /// far. With [Update#SCHEDULE_FREE]: `weightSum`, the sum of the weights of the average, and
  /// `largestLearningRate`, the largest learning rate so far, and `evaluation`, which is 1 after
  /// [dev.panoptim.optim.Optimizer#eval()] and else 0. With [TensorFactor#GRADIENT_NORM]:
  /// `gradientSquares`, an average of the squared norm. At most three.
  public List<String> scalarNames() {
    if (update == Update.SCHEDULE_FREE) {
      return List.of("weightSum", "largestLearningRate", EVALUATION);
    }
    if (tensorFactor == TensorFactor.GRADIENT_NORM) {
      return List.of("gradientSquares");
    }
    return nesterov == Nesterov.SCHEDULED ? List.of(MOMENTUM_PRODUCT) : List.of();
  }

  /// The value of one of [#scalarNames()] before the first step: 1 for a product, 0 for all others.
  public static double initialScalar(String name) {
    return name.equals(MOMENTUM_PRODUCT) ? 1 : 0;
  }

  /// The hyperparameters of the composition.
  public Set<Hyperparameter> hyperparameters() {
    return RuleHyperparameters.of(this);
  }

  /// The framework's four lines for this composition.
  public String describe() {
    return RuleWords.describe(this);
  }

  /// Composes a rule. Not thread-safe.
  public static final class Builder {
    private FirstMoment firstMoment = FirstMoment.NONE;
    private Nesterov nesterov = Nesterov.NONE;
    private SecondMoment secondMoment = SecondMoment.NONE;
    private boolean momentumLast;
    private boolean epsilonInside;
    private boolean unitCorrection;
    private boolean sign;
    private boolean biasCorrection;
    private boolean epsilonBeforeCorrection;
    private Decay decay = Decay.NONE;
    private History history = History.NONE;
    private Update update = Update.DESCENT;
    private TensorFactor tensorFactor = TensorFactor.NONE;
    private Orthogonalization orthogonalization = Orthogonalization.NONE;
    private Adjustment adjustment = Adjustment.NONE;
    private boolean maximize;

    private Builder() {}

    private Builder(Rule rule) {
      firstMoment = rule.firstMoment;
      nesterov = rule.nesterov;
      secondMoment = rule.secondMoment;
      momentumLast = rule.momentumLast;
      epsilonInside = rule.epsilonInside;
      unitCorrection = rule.unitCorrection;
      sign = rule.sign;
      biasCorrection = rule.biasCorrection;
      epsilonBeforeCorrection = rule.epsilonBeforeCorrection;
      decay = rule.decay;
      history = rule.history;
      update = rule.update;
      tensorFactor = rule.tensorFactor;
      orthogonalization = rule.orthogonalization;
      adjustment = rule.adjustment;
      maximize = rule.maximize;
    }

    public Builder firstMoment(FirstMoment value) {
      firstMoment = value;
      return this;
    }

    public Builder nesterov(Nesterov value) {
      nesterov = value;
      return this;
    }

    public Builder secondMoment(SecondMoment value) {
      secondMoment = value;
      return this;
    }

    public Builder momentumLast(boolean value) {
      momentumLast = value;
      return this;
    }

    public Builder epsilonInside(boolean value) {
      epsilonInside = value;
      return this;
    }

    public Builder unitCorrection(boolean value) {
      unitCorrection = value;
      return this;
    }

    public Builder sign(boolean value) {
      sign = value;
      return this;
    }

    public Builder biasCorrection(boolean value) {
      biasCorrection = value;
      return this;
    }

    public Builder epsilonBeforeCorrection(boolean value) {
      epsilonBeforeCorrection = value;
      return this;
    }

    public Builder decay(Decay value) {
      decay = value;
      return this;
    }

    public Builder history(History value) {
      history = value;
      return this;
    }

    public Builder update(Update value) {
      update = value;
      return this;
    }

    public Builder tensorFactor(TensorFactor value) {
      tensorFactor = value;
      return this;
    }

    public Builder orthogonalization(Orthogonalization value) {
      orthogonalization = value;
      return this;
    }

    public Builder adjustment(Adjustment value) {
      adjustment = value;
      return this;
    }

    public Builder maximize(boolean value) {
      maximize = value;
      return this;
    }

    /// @throws IllegalArgumentException if the composition is illegal; the message has the reason
    public Rule build() {
      return new Rule(
          firstMoment,
          nesterov,
          secondMoment,
          momentumLast,
          epsilonInside,
          unitCorrection,
          sign,
          biasCorrection,
          epsilonBeforeCorrection,
          decay,
          history,
          update,
          tensorFactor,
          orthogonalization,
          adjustment,
          maximize);
    }
  }
}
