package dev.panoptim.internal.step;

import dev.panoptim.internal.factored.FactoredOperations;
import dev.panoptim.internal.factored.MomentForm;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.TensorFactor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The second half of a step whose rule has a factored second moment. The first step writes the
/// gradient, which a [FactoredRow] replaces by the direction. The last step is a descent with
/// decoupled decay, and with momentum of the direction if the rule has a first moment.
///
/// Not thread-safe.
final class FactoredStage extends Stage {
  private static final double[] WITHOUT_SCALARS = {};

  /// A rule whose measures contain the sum of the squares of the parameter.
  private static final Rule MEASURING =
      Rule.builder().tensorFactor(TensorFactor.GRADIENT_TRUST_RATIO).build();

  private final Rule rule;
  private final Rule updateRule;

  /// Of parameters whose size is a factor; `null` if the rule has no such factor.
  private final StepPlan sizes;

  private final FactoredRow[] rows;

  /// The mean of the squares of each row's direction.
  private final double[] squares;

  /// @param states of each row, under the rule
  /// @param update the plan of the last step
  /// @param directions of each row
  /// @param sums the workspace of the sums
  /// @param threads the most threads of a step, including the calling one
  FactoredStage(
      Rule rule,
      List<Row> states,
      StepPlan update,
      List<MemorySegment> directions,
      MemorySegment sums,
      Engine engine,
      int threads) {
    StepPlan sizes = scales(rule) ? sizes(update.rows(), directions) : null;
    super(update, sizes == null ? List.of() : List.of(sizes), directions);
    this.rule = rule;
    this.sizes = sizes;
    updateRule = updateRule(rule);
    squares = new double[states.size()];
    rows = new FactoredRow[states.size()];
    MomentForm form = rule.epsilonInside() ? MomentForm.TRANSFORMERS : MomentForm.PYTORCH;
    Map<List<Long>, FactoredOperations> known = new HashMap<>();
    for (int i = 0; i < rows.length; i++) {
      Row row = states.get(i);
      rows[i] =
          new FactoredRow(
              row.shape(),
              form,
              directions.get(i),
              new States(rule.stateNames(), row.states()),
              shape ->
                  known.computeIfAbsent(
                      List.of(shape.rows(), shape.columns(), shape.hasColumns() ? 1L : 0L),
                      extents -> engine.factoredOperations(shape, sums, threads)));
    }
  }

  private static boolean scales(Rule rule) {
    return rule.tensorFactor() == TensorFactor.PARAMETER_SIZE
        || rule.tensorFactor() == TensorFactor.PARAMETER_SIZE_AND_DECAY;
  }

  private static boolean limitsDecay(Rule rule) {
    return rule.tensorFactor() == TensorFactor.PARAMETER_SIZE_AND_DECAY
        || rule.tensorFactor() == TensorFactor.CLIPPED_DIRECTION_LIMITED_DECAY;
  }

  private static StepPlan sizes(Rows rows, List<MemorySegment> directions) {
    List<Row> measured = new ArrayList<>();
    for (int i = 0; i < rows.count(); i++) {
      measured.add(rows.get(i).measuredBy(directions.get(i)));
    }
    RowFormat format = new RowFormat(MEASURING, rows.device(), rows.stateDevice(), false, null);
    return StepPlan.of(List.of(new RowGroup(format, measured, false, true))).getFirst();
  }

  /// The rule of the first elementwise step.
  static Rule gradientRule(Rule rule) {
    return Rule.builder().maximize(rule.maximize()).build();
  }

  /// The rule of the last elementwise step.
  static Rule updateRule(Rule rule) {
    return Rule.builder().firstMoment(rule.firstMoment()).decay(rule.decay()).build();
  }

  @Override
  void finish(
      TrackedParameter[] rows,
      Hyperparameters values,
      Engine engine,
      int threads,
      double averageDecay) {
    double epsilon = values.get(Hyperparameter.EPSILON);
    for (int i = 0; i < rows.length; i++) {
      double power = Powers.realPower(rows[i].steps() + 1, values.get(Hyperparameter.BETA2_DECAY));
      squares[i] = this.rows[i].direct(1 - power, epsilon);
    }
    Measures measures = sizes == null || rows.length == 0 ? null : measure(values, engine, threads);
    StepValues written = update().values();
    written.begin(values.decays());
    for (int i = 0; i < rows.length; i++) {
      TrackedParameter row = rows[i];
      Coefficients coefficients = written.nextCoefficients();
      coefficients.compute(updateRule, values, row.steps() + 1, row.scalars());
      coefficients.averageParameters(row.steps() == 0 ? 1 : (float) (1 - averageDecay));
      double size = measures == null ? 1 : size(measures, i, row.parameter.size(), values);
      row.factor = size / clipping(i, values);
      double rate = rate(values, row.steps() + 1);
      if (rule.hasFirstMoment()) {
        coefficients.scaleGradients((float) (rate * row.factor));
        coefficients.step(1);
      } else {
        coefficients.scaleGradients(1);
        coefficients.step(rate * row.factor);
      }
      if (limitsDecay(rule) && rule.decay() != Decay.NONE) {
        coefficients.decay(rate * size * values.get(Hyperparameter.WEIGHT_DECAY));
      }
      written.assign(i);
    }
    engine.step(update(), threads, null);
  }

  /// The learning rate of a step.
  private static double rate(Hyperparameters values, long step) {
    double most = values.get(Hyperparameter.RELATIVE_STEP) / Math.sqrt(step);
    return Math.min(values.get(Hyperparameter.LEARNING_RATE), most);
  }

  /// Measures the parameters.
  private Measures measure(Hyperparameters values, Engine engine, int threads) {
    StepValues written = sizes.values();
    written.begin(false);
    Coefficients coefficients = written.nextCoefficients();
    coefficients.compute(MEASURING, values, 1, WITHOUT_SCALARS);
    coefficients.scaleGradients(1);
    for (int i = 0; i < rows.length; i++) {
      written.assign(i);
    }
    return engine.measure(sizes, threads);
  }

  /// The root mean square of a parameter, at least epsilon2.
  private static double size(Measures measures, int row, long elements, Hyperparameters values) {
    double mean = elements == 0 ? 0 : measures.of(row, Measures.PARAMETER) / elements;
    return Math.max(values.get(Hyperparameter.EPSILON2), Math.sqrt(mean));
  }

  /// What a row's step is divided by because its direction is large.
  private double clipping(int row, Hyperparameters values) {
    return rule.tensorFactor() == TensorFactor.NONE
        ? 1
        : Math.max(1, Math.sqrt(squares[row]) / values.get(Hyperparameter.CLIP_THRESHOLD));
  }
}
