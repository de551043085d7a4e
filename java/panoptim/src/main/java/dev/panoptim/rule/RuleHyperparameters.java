package dev.panoptim.rule;

import static dev.panoptim.rule.Hyperparameter.*;

import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// The hyperparameters of a rule.
final class RuleHyperparameters {
  private RuleHyperparameters() {}

  static Set<Hyperparameter> of(Rule rule) {
    Set<Hyperparameter> open = EnumSet.of(LEARNING_RATE);
    switch (rule.firstMoment()) {
      case NONE -> {}
      case HEAVY_BALL -> open.addAll(List.of(MOMENTUM, DAMPENING));
      case MOVING_AVERAGE -> open.add(BETA1);
    }
    switch (rule.nesterov()) {
      case NONE, NESTEROV -> {}
      case SCHEDULED -> open.add(MOMENTUM_DECAY);
      case INTERPOLATED -> open.add(BETA2);
      case QUASI_HYPERBOLIC -> open.add(NU1);
    }
    if (rule.decay() != Decay.NONE) {
      open.add(WEIGHT_DECAY);
    }
    addOfSecondMoment(rule, open);
    addOfHistory(rule, open);
    addOfUpdate(rule, open);
    switch (rule.tensorFactor()) {
      case NONE, UPDATE_SIZE -> {}
      case TRUST_RATIO, TRUST_RATIO_ALWAYS -> open.add(LARGEST_TRUST_RATIO);
      case GRADIENT_TRUST_RATIO, CLIPPED_GRADIENT_TRUST_RATIO ->
          open.addAll(List.of(TRUST_COEFFICIENT, EPSILON));
      case GRADIENT_NORM -> open.addAll(List.of(BETA2, EPSILON));
      case CLIPPED_DIRECTION, CLIPPED_DIRECTION_LIMITED_DECAY -> open.add(CLIP_THRESHOLD);
      case PARAMETER_SIZE, PARAMETER_SIZE_AND_DECAY ->
          open.addAll(List.of(CLIP_THRESHOLD, EPSILON2));
    }
    if (rule.isOfMatrices()) {
      open.add(ITERATIONS);
    }
    return Collections.unmodifiableSet(open);
  }

  private static void addOfSecondMoment(Rule rule, Set<Hyperparameter> open) {
    switch (rule.secondMoment()) {
      case NONE -> {}
      case SUM -> open.addAll(List.of(EPSILON, LEARNING_RATE_DECAY, INITIAL_ACCUMULATOR));
      case SIGNED_AVERAGE -> open.addAll(List.of(EPSILON, BETA2, INITIAL_ACCUMULATOR));
      case DELAYED_AVERAGE -> open.addAll(List.of(EPSILON, BETA2, CLIP_POWER));
      case CURVATURE_AVERAGE -> open.addAll(List.of(EPSILON, BETA2, RHO, BATCH_SIZE));
      case MIXED_AVERAGE -> open.addAll(List.of(EPSILON, BETA2, NU2));
      case FACTORED_AVERAGE -> open.addAll(List.of(EPSILON, BETA2_DECAY, RELATIVE_STEP));
      default -> open.addAll(List.of(EPSILON, BETA2));
    }
  }

  private static void addOfHistory(Rule rule, Set<Hyperparameter> open) {
    switch (rule.history()) {
      case NONE -> {}
      case SLOW_MOMENT -> open.addAll(List.of(BETA3, ALPHA, WARMUP_STEPS));
      case DIFFERENCE_MOMENT -> open.add(BETA3);
      case CORRECTED_GRADIENT -> open.add(GAMMA);
    }
  }

  private static void addOfUpdate(Rule rule, Set<Hyperparameter> open) {
    switch (rule.update()) {
      case DESCENT, CAUTIOUS -> {}
      case AVERAGED -> open.addAll(List.of(LAMBD, POWER, AVERAGING_START));
      case SIGN_STEPS -> open.addAll(List.of(ETA_MINUS, ETA_PLUS, SMALLEST_STEP, LARGEST_STEP));
      case PROXIMAL -> {
        open.removeAll(List.of(EPSILON, LEARNING_RATE_DECAY));
        open.addAll(List.of(L1, L2, BETA));
      }
      case SCHEDULE_FREE ->
          open.addAll(List.of(BETA1, WARMUP_STEPS, WEIGHT_POWER, LEARNING_RATE_POWER));
    }
  }
}
