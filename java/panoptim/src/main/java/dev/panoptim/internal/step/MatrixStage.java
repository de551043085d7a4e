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

/// The second half of a step of matrices, whose rule has an [Orthogonalization]. Such a step is two
/// elementwise steps with an iteration between:
/// 1. The group's plan has directions in the place of parameters. A step of size -1 from 0 writes
///    there the gradient, mixed with its average.
/// 2. [NewtonSchulz] orthogonalizes the directions in place.
/// 3. The stage's plan moves the parameters, with the directions as gradients: a plain descent with
///    decoupled decay. Averages, half-precision copies and publications belong to this plan.
///
/// Not thread-safe.
final class MatrixStage {
  private final StepPlan update;
  private final Rule updateRule;
  private final List<MemorySegment> directions;
  private final List<NewtonSchulz> iterations = new ArrayList<>();
  private final double[] factors;

  /// @param update the plan of the second elementwise step
  /// @param directions the direction of each row
  /// @param rest the rest of the workspace
  MatrixStage(
      Rule rule,
      List<TrackedParameter> rows,
      StepPlan update,
      List<MemorySegment> directions,
      MemorySegment rest,
      MatrixWorkspace workspace) {
    this.update = update;
    this.directions = List.copyOf(directions);
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
              workspace.engine().products(),
              coefficients,
              MatrixWorkspace.shape(rows, batch),
              matrices,
              matrices,
              rest,
              workspace.threads()));
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

  /// The plan of the second elementwise step.
  StepPlan update() {
    return update;
  }

  /// Sets the directions to 0, from which the first elementwise step starts.
  void begin() {
    for (int i = 0; i < directions.size(); i++) {
      directions.get(i).fill((byte) 0);
    }
  }

  /// Makes the rest of the step, after the first elementwise step.
  ///
  /// @param rows the parameters of the plan's rows
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
    StepValues written = update.values();
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
    engine.step(update, threads, null);
  }
}
