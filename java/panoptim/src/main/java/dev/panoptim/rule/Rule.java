package dev.panoptim.rule;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// A composition of the framework. All optimizers from SGD to AdamW are cases of it:
/// 1. gradient: negated to maximize, plus L2 decay;
/// 2. first and second moment;
/// 3. direction: the first moment over the root of the second;
/// 4. update: the parameter minus learning rate times direction, minus decoupled decay.
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
    boolean maximize) {
  /// The name of the scalar that is a product of scheduled momenta.
  public static final String MOMENTUM_PRODUCT = "momentumProduct";

  /// The conditions on kernels are those of `why_illegal` in `native/src/rule/composition.h`;
  /// `RuleCodesTest` compares the two for every composition.
  ///
  /// @throws IllegalArgumentException if the composition is illegal; the message has the reason
  public Rule {
    Objects.requireNonNull(firstMoment, "firstMoment is null");
    Objects.requireNonNull(nesterov, "nesterov is null");
    Objects.requireNonNull(secondMoment, "secondMoment is null");
    Objects.requireNonNull(decay, "decay is null");
    boolean first = firstMoment != FirstMoment.NONE;
    boolean average = firstMoment == FirstMoment.MOVING_AVERAGE;
    boolean second = secondMoment != SecondMoment.NONE;
    boolean secondAverage =
        CORRECTABLE.contains(secondMoment) && secondMoment != SecondMoment.RECTIFIED_AVERAGE;
    require(nesterov == Nesterov.NONE || first, "nesterov %s needs a first moment", nesterov);
    require(
        nesterov != Nesterov.SCHEDULED || average && biasCorrection,
        "nesterov SCHEDULED needs firstMoment MOVING_AVERAGE, not %s, and biasCorrection",
        firstMoment);
    require(
        nesterov != Nesterov.INTERPOLATED || average && !biasCorrection,
        "nesterov INTERPOLATED needs firstMoment MOVING_AVERAGE, not %s, and no biasCorrection",
        firstMoment);
    require(
        !momentumLast || first && second,
        "momentumLast needs both moments, but firstMoment is %s and secondMoment %s",
        firstMoment,
        secondMoment);
    require(
        !epsilonInside || second && secondMoment != SecondMoment.INFINITY_NORM,
        "epsilonInside needs a second moment with a root, but secondMoment is %s",
        secondMoment);
    require(
        !unitCorrection || secondAverage && epsilonInside && !biasCorrection,
        "unitCorrection needs a moving average, epsilonInside and no biasCorrection,"
            + " but secondMoment is %s",
        secondMoment);
    require(!sign || !second, "sign leaves nothing of secondMoment %s", secondMoment);
    require(
        !biasCorrection || average || CORRECTABLE.contains(secondMoment),
        "biasCorrection corrects moving averages, but firstMoment is %s and secondMoment %s",
        firstMoment,
        secondMoment);
    require(
        !epsilonBeforeCorrection || biasCorrection && secondAverage,
        "epsilonBeforeCorrection needs biasCorrection of a second moment that is a moving average"
            + " without rectification, but secondMoment is %s",
        secondMoment);
    require(
        secondMoment != SecondMoment.RECTIFIED_AVERAGE || biasCorrection,
        "secondMoment %s needs biasCorrection",
        secondMoment);
  }

  /// The second moments that start at 0 and are too small at first.
  private static final Set<SecondMoment> CORRECTABLE =
      EnumSet.of(
          SecondMoment.MOVING_AVERAGE,
          SecondMoment.MAXIMUM_OF_AVERAGE,
          SecondMoment.CENTERED_AVERAGE,
          SecondMoment.RECTIFIED_AVERAGE);

  private static void require(boolean condition, String message, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(message.formatted(values));
    }
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

  public boolean correctsSecondMoment() {
    return biasCorrection && CORRECTABLE.contains(secondMoment);
  }

  /// The names of the states of each parameter, in the order in which they are stored:
  /// `firstMoment`, `secondMoment`, `maximum` or `mean`, `units`, if the rule has them.
  public List<String> stateNames() {
    List<String> names = new ArrayList<>();
    if (hasFirstMoment()) {
      names.add("firstMoment");
    }
    if (hasSecondMoment()) {
      names.add("secondMoment");
    }
    if (hasSecondary()) {
      names.add(secondMoment == SecondMoment.MAXIMUM_OF_AVERAGE ? "maximum" : "mean");
    }
    if (unitCorrection) {
      names.add("units");
    }
    return List.copyOf(names);
  }

  /// The names of the scalars of each parameter: numbers that a step hands to the parameter's next
  /// step. `momentumProduct`, the product of all scheduled momenta so far, with
  /// [Nesterov#SCHEDULED]. At most two.
  public List<String> scalarNames() {
    return nesterov == Nesterov.SCHEDULED ? List.of(MOMENTUM_PRODUCT) : List.of();
  }

  /// The value of a scalar before the first step: 1 for a product, 0 for all others.
  ///
  /// @param name one of [#scalarNames()]
  public static double initialScalar(String name) {
    return name.equals(MOMENTUM_PRODUCT) ? 1 : 0;
  }

  /// The hyperparameters of the composition.
  public Set<Hyperparameter> hyperparameters() {
    Set<Hyperparameter> open = EnumSet.of(Hyperparameter.LEARNING_RATE);
    switch (firstMoment) {
      case NONE -> {}
      case HEAVY_BALL -> {
        open.add(Hyperparameter.MOMENTUM);
        open.add(Hyperparameter.DAMPENING);
      }
      case MOVING_AVERAGE -> open.add(Hyperparameter.BETA1);
    }
    switch (nesterov) {
      case NONE, NESTEROV -> {}
      case SCHEDULED -> open.add(Hyperparameter.MOMENTUM_DECAY);
      case INTERPOLATED -> open.add(Hyperparameter.BETA2);
    }
    if (hasSecondMoment()) {
      open.add(Hyperparameter.EPSILON);
      if (secondMoment == SecondMoment.SUM) {
        open.add(Hyperparameter.LEARNING_RATE_DECAY);
        open.add(Hyperparameter.INITIAL_ACCUMULATOR);
      } else {
        open.add(Hyperparameter.BETA2);
      }
    }
    if (decay != Decay.NONE) {
      open.add(Hyperparameter.WEIGHT_DECAY);
    }
    return open;
  }

  /// The framework's four lines for this composition.
  public String describe() {
    String x = momentumLast ? "d" : "g";
    String first =
        switch (firstMoment) {
          case NONE -> null;
          case HEAVY_BALL -> "m = momentum * m + (1 - dampening) * " + x;
          case MOVING_AVERAGE -> {
            String beta = nesterov == Nesterov.INTERPOLATED ? "beta2" : "beta1";
            yield "m = %s * m + (1 - %s) * %s".formatted(beta, beta, x);
          }
        };
    String second =
        switch (secondMoment) {
          case NONE -> null;
          case SUM -> "v = v + g * g";
          case MOVING_AVERAGE, RECTIFIED_AVERAGE -> "v = beta2 * v + (1 - beta2) * g * g";
          case MAXIMUM_OF_AVERAGE -> "v = max(v, beta2 * u + (1 - beta2) * g * g)";
          case CENTERED_AVERAGE -> "v = average(g * g) - average(g)^2, both with beta2";
          case INFINITY_NORM -> "r = max(beta2 * r, |g| + epsilon)";
        };
    String moments =
        first == null && second == null
            ? "none"
            : first == null ? second : second == null ? first : first + "; " + second;
    String root =
        switch (secondMoment) {
          case NONE -> "";
          case INFINITY_NORM -> " / r";
          default -> epsilonInside ? " / root(v + epsilon)" : " / (root(v) + epsilon)";
        };
    String ahead =
        switch (nesterov) {
          case NONE -> hasFirstMoment() ? "m" : "g";
          case NESTEROV ->
              firstMoment == FirstMoment.HEAVY_BALL
                  ? "(" + x + " + momentum * m)"
                  : "((1 - beta1) * " + x + " + beta1 * m)";
          case SCHEDULED -> "((1 - mu(t)) * " + x + " + mu(t + 1) * m)";
          case INTERPOLATED -> "((1 - beta1) * " + x + " + beta1 * m before)";
        };
    String units = unitCorrection ? " * root(average(d * d) + epsilon)" : "";
    String direction =
        momentumLast ? "d = g" + root + units + "; then " + ahead : ahead + root + units;
    if (secondMoment == SecondMoment.RECTIFIED_AVERAGE) {
      direction += ", times r(t), once there are enough steps";
    }
    if (biasCorrection) {
      direction += ", moments corrected by 1 - beta^t";
      direction += epsilonBeforeCorrection ? " after epsilon is added" : "";
    }
    return """
    1. gradient   g = %sgrad f(w)%s
    2. moments    %s
    3. direction  %s
    4. update     w = w - learningRate * direction%s
    """
        .formatted(
            maximize ? "-" : "",
            decay == Decay.L2 ? " + weightDecay * w" : "",
            moments,
            sign ? "sign(" + direction + ")" : direction,
            decay == Decay.DECOUPLED ? " - learningRate * weightDecay * w" : "");
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
          maximize);
    }
  }
}
