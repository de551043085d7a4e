package dev.panoptim.internal.step;

import dev.panoptim.rule.SecondMoment;
import java.util.List;

/// Updates the second moments of groups whose rule has [SecondMoment#CURVATURE_AVERAGE] from the
/// present gradients, and nothing else: no parameter, other state, count, copy or publication.
///
/// Uses the plans of whole steps. Not thread-safe.
final class CurvatureMeasurement implements AutoCloseable {
  private final Engine engine;
  private final int threads;
  private final GroupPlans plans;
  private final StepSettings settings;

  /// Made when first needed. The steps have another one, which may still be unsettled.
  private NormDecision decision;

  /// @param threads the most threads, including the calling one
  /// @param plans of all parameters
  /// @param settings as they are at each measurement
  CurvatureMeasurement(Engine engine, int threads, GroupPlans plans, StepSettings settings) {
    this.engine = engine;
    this.threads = threads;
    this.plans = plans;
    this.settings = settings;
  }

  /// Measures the curvature with the current settings, but without clipping to a norm.
  ///
  /// @param outcome is set to what this did
  /// @throws IllegalStateException if no group has such a rule, or as [Engine#requireReady];
  ///   nothing has changed
  void measure(StepOutcome outcome) {
    List<GroupPlan> groups = plans.groups();
    requireCurvature(groups);
    plans.findGradients();
    outcome.begin();
    plans.update();
    for (int i = 0; i < groups.size(); i++) {
      engine.requireReady(groups.get(i).plan);
    }
    float clipValue = (float) settings.clipGradValue;
    for (int i = 0; i < groups.size(); i++) {
      groups.get(i).plan.treatGradients(clipValue, settings.zeroGrad);
    }
    if (!settings.skipNonFinite) {
      update(groups, outcome, (float) settings.gradientScale, null);
      return;
    }
    decide(groups, outcome);
    if (!decision.isOnHost()) {
      update(groups, outcome, 1, decision);
    } else if (!decision.skips()) {
      update(groups, outcome, (float) settings.gradientScale, null);
    } else if (settings.zeroGrad) {
      plans.zeroGradients();
    }
  }

  private static void requireCurvature(List<GroupPlan> groups) {
    for (int i = 0; i < groups.size(); i++) {
      if (hasCurvature(groups.get(i))) {
        return;
      }
    }
    throw new IllegalStateException(
        "no group has a rule that measures the Hessian, such as Sophia's");
  }

  private static boolean hasCurvature(GroupPlan group) {
    return group.rule().secondMoment() == SecondMoment.CURVATURE_AVERAGE;
  }

  /// Decides by the gradients of the measured groups alone.
  private void decide(List<GroupPlan> groups, StepOutcome outcome) {
    if (decision == null) {
      decision = engine.newNormDecision();
    }
    decision.begin();
    for (int i = 0; i < groups.size(); i++) {
      if (hasCurvature(groups.get(i))) {
        decision.add(groups.get(i).plan, threads);
      }
    }
    decision.decide(settings.gradientScale, Double.POSITIVE_INFINITY, true);
    outcome.decidedBy(decision);
  }

  /// @param scale the factor of gradients
  /// @param decides the decision that the GPU follows; `null` if the host has followed it
  private void update(
      List<GroupPlan> groups, StepOutcome outcome, float scale, NormDecision decides) {
    for (int i = 0; i < groups.size(); i++) {
      GroupPlan group = groups.get(i);
      if (hasCurvature(group)) {
        prepare(group, scale);
        engine.step(group.plan, threads, decides);
        outcome.updated(group.rows.length);
        for (TrackedParameter row : group.rows) {
          row.setMeasured(row.steps() == 0);
        }
      } else if (settings.zeroGrad) {
        engine.zeroGradients(group.plan);
      }
    }
  }

  /// The number of a parameter's steps does not matter, so all rows share their coefficients.
  private static void prepare(GroupPlan group, float scale) {
    StepValues values = group.plan.values();
    values.beginMeasurement();
    if (group.rows.length == 0) {
      return;
    }
    Coefficients coefficients = values.nextCoefficients();
    coefficients.compute(group.rule(), group.values(), 1, group.rows[0].scalars());
    coefficients.scaleGradients(scale);
    coefficients.measureCurvature(group.rule(), true);
    for (int i = 0; i < group.rows.length; i++) {
      values.assign(i);
    }
  }

  /// Frees the decision. A second call has no effect.
  @Override
  public void close() {
    if (decision != null) {
      decision.close();
    }
  }
}
