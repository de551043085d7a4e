package dev.panoptim.internal.step;

import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;

/// Computes the coefficients of groups, and updates their rows.
///
/// Not thread-safe.
final class GroupUpdates {
  private final Engine engine;
  private final int threads;
  private final double averageDecay;

  /// @param threads the most threads of a step, including the calling one
  /// @param averageDecay the decay of running averages; NaN if parameters are not averaged
  GroupUpdates(Engine engine, int threads, double averageDecay) {
    this.engine = engine;
    this.threads = threads;
    this.averageDecay = averageDecay;
  }

  /// Updates all rows of a group.
  ///
  /// @param scale the factor of gradients
  /// @param decides the decision that the GPU follows; `null` if the host has followed it
  void update(GroupPlan group, float scale, NormDecision decides) {
    prepare(group, scale);
    if (group.stage == null && group.rule().isMeasured()) {
      applyFactors(group);
    }
    if (group.stage != null) {
      group.stage.begin();
    }
    engine.step(group.plan, threads, decides);
    if (group.stage != null) {
      group.stage.finish(group.rows, group.values(), engine, threads, averageDecay);
    }
  }

  /// Computes the coefficients of a group's step. Neighbouring rows with the same number of steps
  /// share them.
  private void prepare(GroupPlan group, float scale) {
    Hyperparameters values = group.values();
    StepValues written = group.plan.values();
    written.begin(values.decays());
    // With a stage, the rule of the first elementwise step.
    Rule rule = group.plan.rows().rule();
    Coefficients coefficients = null;
    // A factor of its own for each row.
    boolean measured = rule.isMeasured();
    for (int i = 0; i < group.rows.length; i++) {
      TrackedParameter row = group.rows[i];
      row.refresh();
      if (i == 0 || measured || !row.isAtTheStepOf(group.rows[i - 1])) {
        coefficients = written.nextCoefficients();
        coefficients.compute(rule, values, row.steps() + 1, row.scalars());
        coefficients.scaleGradients(scale);
        coefficients.measureCurvature(rule, false);
        coefficients.averageParameters(row.steps() == 0 ? 1 : (float) (1 - averageDecay));
        if (group.stage != null) {
          coefficients.stepSize = -1;
        }
      }
      row.nextScalars(coefficients.scalars);
      written.assign(i);
    }
  }

  /// Measures the rows of a group, and multiplies their coefficients by the factors that follow.
  private void applyFactors(GroupPlan group) {
    Measures measures = engine.measure(group.plan, threads);
    StepValues values = group.plan.values();
    for (int i = 0; i < group.rows.length; i++) {
      TrackedParameter row = group.rows[i];
      Coefficients coefficients = values.coefficients(values.slot(i));
      row.factor =
          MeasuredFactors.apply(
              coefficients,
              group.rule(),
              group.values(),
              row.steps() + 1,
              row.scalars(),
              measures,
              i,
              row.parameter.size(),
              values.clips());
      row.nextScalars(coefficients.scalars);
    }
  }
}
