package dev.panoptim.internal.ffm;

import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_plan;
import dev.panoptim.internal.step.PublishTarget;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;

/// The C ABI's codes for rules and formats, for native kernels and GPU kernels.
///
/// The codes are coarser than a [Rule]. Some parts of a rule are coefficients there: bias
/// correction, the place of epsilon, the direction of the step, and the difference between a sum
/// and a moving average.
final class RuleCodes {
  private RuleCodes() {}

  /// Writes the codes of a rule to a `panoptim_plan`, except the decay, which may change at each
  /// step: see [#of(Decay)].
  static void write(Rule rule, MemorySegment plan) {
    panoptim_plan.first_moment(plan, firstMoment(rule));
    panoptim_plan.nesterov(plan, nesterov(rule));
    panoptim_plan.second_moment(plan, secondMoment(rule));
    panoptim_plan.unit_correction(plan, rule.unitCorrection() ? 1 : 0);
    panoptim_plan.sign(plan, rule.sign() ? 1 : 0);
    panoptim_plan.history(plan, history(rule));
    panoptim_plan.update(plan, update(rule));
  }

  private static int firstMoment(Rule rule) {
    if (!rule.hasFirstMoment()) {
      return PanoptimAbi.PANOPTIM_FIRST_MOMENT_NONE();
    }
    return rule.momentumLast()
        ? PanoptimAbi.PANOPTIM_FIRST_MOMENT_OF_DIRECTION()
        : PanoptimAbi.PANOPTIM_FIRST_MOMENT_OF_GRADIENT();
  }

  private static int nesterov(Rule rule) {
    return switch (rule.nesterov()) {
      case NONE -> PanoptimAbi.PANOPTIM_NESTEROV_NONE();
      case NESTEROV, SCHEDULED, QUASI_HYPERBOLIC -> PanoptimAbi.PANOPTIM_NESTEROV_NEW();
      case INTERPOLATED -> PanoptimAbi.PANOPTIM_NESTEROV_OLD();
    };
  }

  private static int secondMoment(Rule rule) {
    return switch (rule.secondMoment()) {
      case NONE -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_NONE();
      case SUM, MOVING_AVERAGE -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_RUNNING();
      case MAXIMUM_OF_AVERAGE -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_MAXIMUM();
      case CENTERED_AVERAGE -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_CENTERED();
      case RECTIFIED_AVERAGE -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_RECTIFIED();
      case INFINITY_NORM -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_INFINITY();
      case BELIEF_AVERAGE -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_BELIEF();
      case SIGNED_AVERAGE -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_SIGNED();
      case DELAYED_AVERAGE -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_DELAYED();
      case CURVATURE_AVERAGE -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_CURVATURE();
      case MIXED_AVERAGE -> PanoptimAbi.PANOPTIM_SECOND_MOMENT_MIXED();
      case FACTORED_AVERAGE ->
          throw new IllegalArgumentException("no kernel has secondMoment " + rule.secondMoment());
    };
  }

  private static int history(Rule rule) {
    return switch (rule.history()) {
      case NONE -> PanoptimAbi.PANOPTIM_HISTORY_NONE();
      case SLOW_MOMENT -> PanoptimAbi.PANOPTIM_HISTORY_SLOW();
      case DIFFERENCE_MOMENT -> PanoptimAbi.PANOPTIM_HISTORY_DIFFERENCE();
      case CORRECTED_GRADIENT -> PanoptimAbi.PANOPTIM_HISTORY_CORRECTED();
    };
  }

  private static int update(Rule rule) {
    return switch (rule.update()) {
      case DESCENT -> PanoptimAbi.PANOPTIM_UPDATE_DESCENT();
      case CAUTIOUS -> PanoptimAbi.PANOPTIM_UPDATE_CAUTIOUS();
      case AVERAGED -> PanoptimAbi.PANOPTIM_UPDATE_AVERAGED();
      case SIGN_STEPS -> PanoptimAbi.PANOPTIM_UPDATE_SIGN_STEPS();
      case PROXIMAL -> PanoptimAbi.PANOPTIM_UPDATE_PROXIMAL();
      case SCHEDULE_FREE -> PanoptimAbi.PANOPTIM_UPDATE_SCHEDULE_FREE();
    };
  }

  /// `PANOPTIM_DECAY_...`.
  static int of(Decay decay) {
    return switch (decay) {
      case NONE -> PanoptimAbi.PANOPTIM_DECAY_NONE();
      case L2 -> PanoptimAbi.PANOPTIM_DECAY_L2();
      case DECOUPLED, PROXIMAL -> PanoptimAbi.PANOPTIM_DECAY_DECOUPLED();
    };
  }

  /// `PANOPTIM_HALF_PRECISION_...`.
  ///
  /// @param format `null` for no half-precision copy
  static int of(HalfPrecision format) {
    return switch (format) {
      case null -> PanoptimAbi.PANOPTIM_HALF_PRECISION_NONE();
      case BFLOAT16 -> PanoptimAbi.PANOPTIM_HALF_PRECISION_BFLOAT16();
      case FLOAT16 -> PanoptimAbi.PANOPTIM_HALF_PRECISION_FLOAT16();
    };
  }

  /// `PANOPTIM_PUBLISH_...`.
  ///
  /// @param target `null` if nothing is published
  static int of(PublishTarget target) {
    if (target == null) {
      return PanoptimAbi.PANOPTIM_PUBLISH_NONE();
    }
    return switch (target.narrow()) {
      case null -> PanoptimAbi.PANOPTIM_PUBLISH_FLOAT32();
      case BFLOAT16 -> PanoptimAbi.PANOPTIM_PUBLISH_BFLOAT16();
      case FLOAT16 -> PanoptimAbi.PANOPTIM_PUBLISH_FLOAT16();
    };
  }
}
