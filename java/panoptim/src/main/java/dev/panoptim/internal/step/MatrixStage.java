package dev.panoptim.internal.step;

import dev.panoptim.internal.matrix.NewtonSchulz;
import dev.panoptim.internal.matrix.NewtonSchulzCoefficients;
import dev.panoptim.rule.Adjustment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Orthogonalization;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The second half of a step of matrices, whose rule has an [Orthogonalization]. The first step
/// writes the gradient, mixed with its average. [NewtonSchulz] orthogonalizes the directions in
/// place. The last step is a plain descent with decoupled decay.
///
/// Not thread-safe.
final class MatrixStage extends Stage {
  private final Rule updateRule;
  private final List<NewtonSchulz> iterations = new ArrayList<>();
  private final double[] factors;

  /// @param update the plan of the second elementwise step
  /// @param directions the direction of each row
  /// @param rest the rest of the workspace
  /// @param threads the most threads of a step, including the calling one
  MatrixStage(
      Rule rule,
      List<TrackedParameter> rows,
      StepPlan update,
      List<MemorySegment> directions,
      MemorySegment rest,
      Engine engine,
      int threads) {
    super(update, List.of(), directions);
    updateRule = updateRule(rule);
    factors = new double[rows.size()];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = factor(rule.adjustment(), MatrixShape.of(rows.get(i).parameter));
    }
    NewtonSchulzCoefficients coefficients = coefficients(rule.orthogonalization());
    for (List<Integer> batch : MatrixWorkspace.batches(rows)) {
      List<MemorySegment> matrices = batch.stream().map(directions::get).toList();
      iterations.add(
          new NewtonSchulz(
              engine.products(),
              coefficients,
              MatrixWorkspace.shape(rows, batch),
              matrices,
              matrices,
              rest,
              threads));
    }
  }

  /// The rule of the first elementwise step.
  static Rule directionRule(Rule rule) {
    return Rule.builder()
        .firstMoment(rule.firstMoment())
        .nesterov(rule.nesterov())
        .maximize(rule.maximize())
        .build();
  }

  /// The rule of the second elementwise step.
  static Rule updateRule(Rule rule) {
    return Rule.builder().decay(rule.decay()).build();
  }

  private static NewtonSchulzCoefficients coefficients(Orthogonalization orthogonalization) {
    return switch (orthogonalization) {
      case NONE -> throw new IllegalArgumentException("the rule has no orthogonalization");
      case ORIGINAL -> NewtonSchulzCoefficients.ORIGINAL;
      case QUINTIC -> NewtonSchulzCoefficients.QUINTIC;
      case POLAR_EXPRESS -> NewtonSchulzCoefficients.POLAR_EXPRESS;
      case POLAR_EXPRESS_SAFER -> NewtonSchulzCoefficients.POLAR_EXPRESS_SAFER;
    };
  }

  private static double factor(Adjustment adjustment, MatrixShape shape) {
    double rows = shape.rows();
    double columns = shape.columns();
    return switch (adjustment) {
      case NONE -> 1;
      case ORIGINAL -> columns == 0 ? 1 : Math.sqrt(Math.max(1, rows / columns));
      case MATCH_RMS -> 0.2 * Math.sqrt(Math.max(rows, columns));
    };
  }

  @Override
  void finish(
      TrackedParameter[] rows,
      Hyperparameters values,
      Engine engine,
      int threads,
      double averageDecay) {
    int steps = (int) values.get(Hyperparameter.ITERATIONS);
    for (int i = 0; i < iterations.size(); i++) {
      iterations.get(i).orthogonalize(steps, threads);
    }
    StepValues written = update().values();
    written.begin(values.decays());
    for (int i = 0; i < rows.length; i++) {
      TrackedParameter row = rows[i];
      if (i == 0 || factors[i] != factors[i - 1] || !row.isAtTheStepOf(rows[i - 1])) {
        Coefficients coefficients = written.nextCoefficients();
        coefficients.compute(updateRule, values, row.steps() + 1, row.scalars());
        coefficients.scaleGradients(1);
        coefficients.averageParameters(row.steps() == 0 ? 1 : (float) (1 - averageDecay));
        coefficients.scaleStep(factors[i]);
      }
      written.assign(i);
    }
    engine.step(update(), threads, null);
  }
}
