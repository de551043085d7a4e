package dev.panoptim.rule;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// A composition of the framework that all optimizers from SGD to AdamW are one case of:
/// 1. gradient: negated to maximize, plus L2 decay;
/// 2. first and second moment;
/// 3. direction: the first moment over the root of the second;
/// 4. update: the parameter less the direction times the learning rate, less decoupled decay.
///
/// Immutable. What a rule leaves open, the [Hyperparameters], is a matter of each parameter group
/// and step.
///
/// @param firstMoment what the direction follows
/// @param secondMoment what the direction is divided by the root of
/// @param nesterov whether the direction looks ahead along a first moment: `g + momentum * m`
///   rather than `m` for the heavy ball, `(1 - beta1) * g + beta1 * m` for the moving average
/// @param biasCorrection whether moving averages are divided by `1 - beta^t`, for they start at 0
/// @param decay how weight decay acts
/// @param maximize whether the loss is to grow
public record Rule(
    FirstMoment firstMoment,
    SecondMoment secondMoment,
    boolean nesterov,
    boolean biasCorrection,
    Decay decay,
    boolean maximize) {

  /// @throws IllegalArgumentException if the composition is illegal; the message says which part
  ///   lacks what
  public Rule {
    Objects.requireNonNull(firstMoment, "firstMoment is null");
    Objects.requireNonNull(secondMoment, "secondMoment is null");
    Objects.requireNonNull(decay, "decay is null");
    if (nesterov && firstMoment == FirstMoment.NONE) {
      throw new IllegalArgumentException(
          "nesterov looks ahead along a first moment, but firstMoment is NONE");
    }
    if (biasCorrection
        && firstMoment != FirstMoment.MOVING_AVERAGE
        && secondMoment == SecondMoment.NONE) {
      throw new IllegalArgumentException(
          "biasCorrection corrects moving averages, but firstMoment is %s and secondMoment is NONE"
              .formatted(firstMoment));
    }
  }

  public boolean hasFirstMoment() {
    return firstMoment != FirstMoment.NONE;
  }

  public boolean hasSecondMoment() {
    return secondMoment != SecondMoment.NONE;
  }

  public boolean hasMaximum() {
    return secondMoment == SecondMoment.MAXIMUM_OF_AVERAGE;
  }

  /// The names of the states that each parameter has, in the order in which they are stored:
  /// `firstMoment`, `secondMoment`, `maximum`, as far as the rule has them.
  public List<String> stateNames() {
    List<String> names = new ArrayList<>();
    if (hasFirstMoment()) {
      names.add("firstMoment");
    }
    if (hasSecondMoment()) {
      names.add("secondMoment");
    }
    if (hasMaximum()) {
      names.add("maximum");
    }
    return List.copyOf(names);
  }

  /// What the composition leaves open.
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
    if (hasSecondMoment()) {
      open.add(Hyperparameter.BETA2);
      open.add(Hyperparameter.EPSILON);
    }
    if (decay != Decay.NONE) {
      open.add(Hyperparameter.WEIGHT_DECAY);
    }
    return open;
  }
}
