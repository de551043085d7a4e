package dev.panoptim.internal.step;

import dev.panoptim.rule.History;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.TensorFactor;
import dev.panoptim.rule.Update;

/// Changes the coefficients of a row by the factor that follows from its [Measures].
final class MeasuredFactors {
  /// The smallest share of changing elements by which a cautious update divides.
  private static final double SMALLEST_SHARE = 1e-3;

  private MeasuredFactors() {}

  /// Applies the factor.
  ///
  /// @param target the row's own coefficients, as [Coefficients#compute] left them
  /// @param step the number of this step, counted from 1
  /// @param before the parameter's scalars before this step
  /// @param clips whether gradients are clipped by value
  /// @return the factor, for the report
  static double apply(
      Coefficients target,
      Rule rule,
      Hyperparameters values,
      long step,
      double[] before,
      Measures measures,
      int row,
      long elements,
      boolean clips) {
    if (elements == 0) {
      return 1;
    }
    if (rule.history() == History.CORRECTED_GRADIENT) {
      double norm = Math.sqrt(measures.of(row, Measures.GRADIENT));
      double factor = norm > 1 ? 1 / norm : 1;
      target.special(SpecialCoefficients.CORRECTED_SCALE, factor);
      return factor;
    }
    if (rule.update() == Update.CAUTIOUS) {
      double share = measures.of(row, Measures.LAST) / elements;
      double factor = 1 / Math.max(share, SMALLEST_SHARE);
      target.scaleStep(factor);
      return factor;
    }
    return switch (rule.tensorFactor()) {
      // The others are of FactoredStage.
      case NONE,
          CLIPPED_DIRECTION,
          CLIPPED_DIRECTION_LIMITED_DECAY,
          PARAMETER_SIZE,
          PARAMETER_SIZE_AND_DECAY ->
          1;
      case TRUST_RATIO, TRUST_RATIO_ALWAYS -> {
        double factor = trustRatio(rule, values, measures, row);
        target.scaleStep(factor);
        target.scaleDecay(factor);
        yield factor;
      }
      case GRADIENT_TRUST_RATIO, CLIPPED_GRADIENT_TRUST_RATIO -> {
        double factor = gradientTrustRatio(rule, values, measures, row);
        target.scaleGradientBy(factor, clips);
        target.scaleDecay(factor);
        yield factor;
      }
      case GRADIENT_NORM -> {
        double squares = measures.of(row, Measures.GRADIENT);
        double beta = values.orZero(Hyperparameter.BETA2);
        double average = step == 1 ? squares : beta * before[0] + (1 - beta) * squares;
        target.scalars[0] = average;
        double factor = 1 / (Math.sqrt(average) + values.orZero(Hyperparameter.EPSILON));
        target.scaleGradientBy(factor, clips);
        yield factor;
      }
      case UPDATE_SIZE -> {
        double mean = measures.of(row, Measures.LAST) * target.secondCorrection() / elements;
        double factor = 1 / Math.max(1, Math.sqrt(mean));
        target.scaleStep(factor);
        target.scaleDecay(factor);
        yield factor;
      }
    };
  }

  private static double trustRatio(Rule rule, Hyperparameters values, Measures measures, int row) {
    if (rule.tensorFactor() == TensorFactor.TRUST_RATIO
        && values.orZero(Hyperparameter.WEIGHT_DECAY) == 0) {
      return 1;
    }
    // The change has the learning rate as a factor, the ratio has not.
    double parameter =
        Math.sqrt(measures.of(row, Measures.PARAMETER))
            * values.orZero(Hyperparameter.LEARNING_RATE);
    double change = Math.sqrt(measures.of(row, Measures.CHANGE));
    double ratio = parameter > 0 && change > 0 ? parameter / change : 1;
    return Math.min(ratio, values.orZero(Hyperparameter.LARGEST_TRUST_RATIO));
  }

  private static double gradientTrustRatio(
      Rule rule, Hyperparameters values, Measures measures, int row) {
    double parameter = Math.sqrt(measures.of(row, Measures.PARAMETER));
    double gradient = Math.sqrt(measures.of(row, Measures.GRADIENT));
    if (!(parameter > 0 && gradient > 0)) {
      return 1;
    }
    double ratio =
        values.orZero(Hyperparameter.TRUST_COEFFICIENT)
            * parameter
            / (gradient
                + values.orZero(Hyperparameter.WEIGHT_DECAY) * parameter
                + values.orZero(Hyperparameter.EPSILON));
    return rule.tensorFactor() == TensorFactor.GRADIENT_TRUST_RATIO
        ? ratio
        : Math.min(ratio / values.orZero(Hyperparameter.LEARNING_RATE), 1);
  }
}
