package dev.panoptim.rule;

import java.util.EnumSet;
import java.util.Set;

/// The conditions of a legal composition.
///
/// The conditions that concern kernels are also those of `why_illegal` in
/// `native/src/rule/composition.h`; `RuleCodesTest` compares the two for every composition.
///
/// Immutable.
record RuleChecks(
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
    Adjustment adjustment) {
  /// The second moments whose correction may follow or precede the addition of epsilon.
  private static final Set<SecondMoment> PLAIN_AVERAGES =
      EnumSet.of(
          SecondMoment.MOVING_AVERAGE,
          SecondMoment.MAXIMUM_OF_AVERAGE,
          SecondMoment.CENTERED_AVERAGE);

  /// The second moments that bias correction divides by `1 - beta^t`.
  static final Set<SecondMoment> CORRECTABLE =
      EnumSet.of(
          SecondMoment.MOVING_AVERAGE,
          SecondMoment.MAXIMUM_OF_AVERAGE,
          SecondMoment.CENTERED_AVERAGE,
          SecondMoment.RECTIFIED_AVERAGE,
          SecondMoment.BELIEF_AVERAGE,
          SecondMoment.SIGNED_AVERAGE,
          SecondMoment.MIXED_AVERAGE);

  /// The second moments to which epsilon can be added under the root.
  private static final Set<SecondMoment> WITH_EPSILON_INSIDE =
      EnumSet.of(
          SecondMoment.SUM,
          SecondMoment.MOVING_AVERAGE,
          SecondMoment.MAXIMUM_OF_AVERAGE,
          SecondMoment.CENTERED_AVERAGE,
          SecondMoment.RECTIFIED_AVERAGE,
          SecondMoment.SIGNED_AVERAGE,
          SecondMoment.FACTORED_AVERAGE);

  /// @throws IllegalArgumentException with the reason
  void requireLegal() {
    requireMoments();
    requireSecondMoment();
    requireEpsilonAndCorrection();
    requireHistory();
    requireUpdate();
    requireTensorFactor();
    requireOrthogonalization();
  }

  private void requireMoments() {
    require(nesterov == Nesterov.NONE || hasFirst(), "nesterov %s needs a first moment", nesterov);
    require(
        nesterov != Nesterov.SCHEDULED || averages() && biasCorrection,
        "nesterov SCHEDULED needs firstMoment MOVING_AVERAGE, not %s, and biasCorrection",
        firstMoment);
    require(
        nesterov != Nesterov.INTERPOLATED || averages() && !biasCorrection,
        "nesterov INTERPOLATED needs firstMoment MOVING_AVERAGE, not %s, and no biasCorrection",
        firstMoment);
    require(
        nesterov != Nesterov.QUASI_HYPERBOLIC || averages(),
        "nesterov QUASI_HYPERBOLIC needs firstMoment MOVING_AVERAGE, not %s",
        firstMoment);
    require(
        !momentumLast || hasFirst() && hasSecond(),
        "momentumLast needs both moments, but firstMoment is %s and secondMoment %s",
        firstMoment,
        secondMoment);
    require(!sign || !hasSecond(), "sign leaves nothing of secondMoment %s", secondMoment);
  }

  private void requireSecondMoment() {
    boolean ofGradient = hasFirst() && !momentumLast;
    boolean unmixed = nesterov == Nesterov.NONE;
    switch (secondMoment) {
      case BELIEF_AVERAGE, SIGNED_AVERAGE ->
          require(
              ofGradient && unmixed,
              "secondMoment %s needs a first moment of the gradient and no nesterov",
              secondMoment);
      case DELAYED_AVERAGE ->
          require(
              momentumLast && unmixed,
              "secondMoment %s needs momentumLast and no nesterov",
              secondMoment);
      case CURVATURE_AVERAGE ->
          require(
              ofGradient && unmixed && decay != Decay.L2,
              "secondMoment %s needs a first moment of the gradient, no nesterov and no L2 decay",
              secondMoment);
      case MIXED_AVERAGE ->
          require(
              nesterov == Nesterov.QUASI_HYPERBOLIC && !momentumLast,
              "secondMoment %s needs nesterov QUASI_HYPERBOLIC, not %s, and no momentumLast",
              secondMoment,
              nesterov);
      case FACTORED_AVERAGE ->
          require(
              hasFirst() == momentumLast
                  && (!hasFirst() || averages())
                  && unmixed
                  && !unitCorrection
                  && !biasCorrection
                  && (decay == Decay.NONE || decay == Decay.DECOUPLED)
                  && history == History.NONE
                  && update == Update.DESCENT,
              "secondMoment %s needs no first moment, or MOVING_AVERAGE with momentumLast, decay"
                  + " NONE or DECOUPLED, not %s, update DESCENT, not %s, and no nesterov,"
                  + " unitCorrection, biasCorrection or history",
              secondMoment,
              decay,
              update);
      default -> {}
    }
  }

  private void requireEpsilonAndCorrection() {
    require(
        !epsilonInside || WITH_EPSILON_INSIDE.contains(secondMoment),
        "epsilonInside needs a second moment with a root, but secondMoment is %s",
        secondMoment);
    require(
        !unitCorrection
            || PLAIN_AVERAGES.contains(secondMoment) && epsilonInside && !biasCorrection,
        "unitCorrection needs a moving average, epsilonInside and no biasCorrection,"
            + " but secondMoment is %s",
        secondMoment);
    require(
        !biasCorrection || averages() || CORRECTABLE.contains(secondMoment),
        "biasCorrection corrects moving averages, but firstMoment is %s and secondMoment %s",
        firstMoment,
        secondMoment);
    require(
        !epsilonBeforeCorrection || biasCorrection && PLAIN_AVERAGES.contains(secondMoment),
        "epsilonBeforeCorrection needs biasCorrection of a second moment that is a moving average"
            + " without rectification, but secondMoment is %s",
        secondMoment);
    require(
        secondMoment != SecondMoment.RECTIFIED_AVERAGE || biasCorrection,
        "secondMoment %s needs biasCorrection",
        secondMoment);
  }

  private void requireHistory() {
    require(
        history == History.NONE
            || averages()
                && !momentumLast
                && nesterov == Nesterov.NONE
                && secondMoment == SecondMoment.MOVING_AVERAGE
                && !unitCorrection
                && decay != Decay.L2,
        "history %s needs MOVING_AVERAGE as firstMoment, of the gradient, and as secondMoment, and"
            + " no nesterov, unitCorrection or L2 decay",
        history);
  }

  private void requireUpdate() {
    boolean summedOrAveraged =
        secondMoment == SecondMoment.SUM || secondMoment == SecondMoment.MOVING_AVERAGE;
    boolean withoutMoments = !hasFirst() && !hasSecond() && !sign;
    switch (update) {
      case DESCENT -> {}
      case CAUTIOUS ->
          require(
              hasFirst()
                  && !momentumLast
                  && (!hasSecond() || summedOrAveraged)
                  && !unitCorrection
                  && history == History.NONE,
              "update CAUTIOUS needs a first moment of the gradient, secondMoment NONE, SUM or"
                  + " MOVING_AVERAGE, not %s, and no unitCorrection or history",
              secondMoment);
      case AVERAGED ->
          require(
              withoutMoments && (decay == Decay.NONE || decay == Decay.DECOUPLED),
              "update AVERAGED needs no moments, no sign and decay NONE or DECOUPLED, not %s",
              decay);
      case SIGN_STEPS ->
          require(
              withoutMoments && decay == Decay.NONE,
              "update SIGN_STEPS needs no moments, no sign and no decay, but decay is %s",
              decay);
      case PROXIMAL ->
          require(
              !hasFirst()
                  && secondMoment == SecondMoment.SUM
                  && !epsilonInside
                  && decay == Decay.NONE,
              "update PROXIMAL needs firstMoment NONE, not %s, secondMoment SUM, not %s, no"
                  + " epsilonInside and decay NONE, not %s",
              firstMoment,
              secondMoment,
              decay);
      case SCHEDULE_FREE ->
          require(
              !hasFirst()
                  && (!hasSecond() || secondMoment == SecondMoment.MOVING_AVERAGE)
                  && !unitCorrection
                  && !sign
                  && (decay == Decay.NONE || decay == Decay.DECOUPLED),
              "update SCHEDULE_FREE needs firstMoment NONE, not %s, secondMoment NONE or"
                  + " MOVING_AVERAGE, not %s, no unitCorrection or sign, and decay NONE or"
                  + " DECOUPLED, not %s",
              firstMoment,
              secondMoment,
              decay);
    }
  }

  private void requireTensorFactor() {
    boolean plain =
        !momentumLast && !unitCorrection && history == History.NONE && update == Update.DESCENT;
    switch (tensorFactor) {
      case NONE -> {}
      case TRUST_RATIO, TRUST_RATIO_ALWAYS, UPDATE_SIZE ->
          require(
              plain
                  && hasFirst()
                  && nesterov == Nesterov.NONE
                  && secondMoment == SecondMoment.MOVING_AVERAGE
                  && !epsilonInside
                  && !epsilonBeforeCorrection
                  && (decay == Decay.NONE || decay == Decay.DECOUPLED),
              "tensorFactor %s needs a first moment of the gradient, no nesterov, secondMoment"
                  + " MOVING_AVERAGE, not %s, epsilon outside of the root and after the correction,"
                  + " decay NONE or DECOUPLED, not %s, no unitCorrection or history, and update"
                  + " DESCENT",
              tensorFactor,
              secondMoment,
              decay);
      case GRADIENT_TRUST_RATIO, CLIPPED_GRADIENT_TRUST_RATIO, GRADIENT_NORM ->
          require(
              plain
                  && !hasSecond()
                  && !sign
                  && nesterov != Nesterov.SCHEDULED
                  && (decay == Decay.NONE || decay == Decay.L2),
              "tensorFactor %s needs secondMoment NONE, not %s, decay NONE or L2, not %s, no sign,"
                  + " history or scheduled nesterov, and update DESCENT",
              tensorFactor,
              secondMoment,
              decay);
      case CLIPPED_DIRECTION,
          CLIPPED_DIRECTION_LIMITED_DECAY,
          PARAMETER_SIZE,
          PARAMETER_SIZE_AND_DECAY ->
          require(
              secondMoment == SecondMoment.FACTORED_AVERAGE,
              "tensorFactor %s needs secondMoment FACTORED_AVERAGE, not %s",
              tensorFactor,
              secondMoment);
    }
  }

  private void requireOrthogonalization() {
    if (orthogonalization == Orthogonalization.NONE) {
      require(
          adjustment == Adjustment.NONE, "adjustment %s needs an orthogonalization", adjustment);
      return;
    }
    require(
        averages()
            && (nesterov == Nesterov.NONE || nesterov == Nesterov.NESTEROV)
            && !hasSecond()
            && !sign
            && !biasCorrection
            && (decay == Decay.NONE || decay == Decay.DECOUPLED)
            && history == History.NONE
            && update == Update.DESCENT
            && tensorFactor == TensorFactor.NONE,
        "orthogonalization %s needs firstMoment MOVING_AVERAGE, not %s, nesterov NONE or NESTEROV,"
            + " not %s, secondMoment NONE, not %s, decay NONE or DECOUPLED, not %s, update DESCENT,"
            + " not %s, and no sign, biasCorrection, history or tensorFactor",
        orthogonalization,
        firstMoment,
        nesterov,
        secondMoment,
        decay,
        update);
  }

  private boolean hasFirst() {
    return firstMoment != FirstMoment.NONE;
  }

  private boolean averages() {
    return firstMoment == FirstMoment.MOVING_AVERAGE;
  }

  private boolean hasSecond() {
    return secondMoment != SecondMoment.NONE;
  }

  private static void require(boolean condition, String message, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(message.formatted(values));
    }
  }
}
