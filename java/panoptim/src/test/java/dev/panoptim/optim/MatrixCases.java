package dev.panoptim.optim;

import static dev.panoptim.rule.Hyperparameter.BETA1;
import static dev.panoptim.rule.Hyperparameter.BETA2_DECAY;
import static dev.panoptim.rule.Hyperparameter.CLIP_THRESHOLD;
import static dev.panoptim.rule.Hyperparameter.EPSILON;
import static dev.panoptim.rule.Hyperparameter.EPSILON2;
import static dev.panoptim.rule.Hyperparameter.ITERATIONS;
import static dev.panoptim.rule.Hyperparameter.LEARNING_RATE;
import static dev.panoptim.rule.Hyperparameter.RELATIVE_STEP;
import static dev.panoptim.rule.Hyperparameter.WEIGHT_DECAY;

import dev.panoptim.rule.Adjustment;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Orthogonalization;
import java.util.List;
import java.util.Map;

/// The test cases of optimizers of matrices.
final class MatrixCases {
  private static final List<String> FIRST = List.of("firstMoment");
  private static final List<String> FACTORED = List.of("secondMoment", "rowMeans", "columnMeans");

  private MatrixCases() {}

  static List<OptimizerCases> all() {
    return List.of(muon(), adafactor());
  }

  private static OptimizerCases muon() {
    return new OptimizerCases(
            "muon",
            Muon::builder,
            Map.of(LEARNING_RATE, 1e-3, BETA1, 0.95, WEIGHT_DECAY, 0.1, ITERATIONS, 5.0),
            Decay.DECOUPLED)
        .with("", FIRST, p -> Muon.builder(p).learningRate(0.02))
        .with(
            "match-rms",
            FIRST,
            p ->
                Muon.builder(p).learningRate(0.02).nesterov(false).adjustment(Adjustment.MATCH_RMS))
        .shaped(MatrixShapes::tall)
        .named(
            "unnamed-muon-polar-express",
            FIRST,
            p ->
                Muon.builder(p)
                    .learningRate(0.02)
                    .coefficients(Orthogonalization.POLAR_EXPRESS)
                    .iterations(4)
                    .adjustment(Adjustment.NONE)
                    .weightDecay(0)
                    .maximize(true))
        .refuses("beta1 is 1.0", p -> Muon.builder(p).momentum(1))
        .refuses("iterations is 0.0", p -> Muon.builder(p).iterations(0))
        .refuses("iterations is 101.0", p -> Muon.builder(p).iterations(101))
        .refuses("coefficients is NONE", p -> Muon.builder(p).coefficients(Orthogonalization.NONE));
  }

  private static OptimizerCases adafactor() {
    return new OptimizerCases(
            "adafactor",
            Adafactor::builder,
            Map.of(
                LEARNING_RATE,
                1e-2,
                BETA2_DECAY,
                -0.8,
                EPSILON,
                0x1p-23,
                EPSILON2,
                1e-3,
                CLIP_THRESHOLD,
                1.0,
                RELATIVE_STEP,
                1.0,
                WEIGHT_DECAY,
                0.0),
            Decay.DECOUPLED)
        .with("", FACTORED, p -> Adafactor.builder(p).weightDecay(0.1))
        .with("vector", FACTORED, Adafactor::builder)
        .shaped(size -> new long[] {size})
        .with("transformers", FACTORED, Adafactor::transformers)
        .named(
            "unnamed-adafactor-momentum",
            List.of("firstMoment", "secondMoment", "rowMeans", "columnMeans"),
            p ->
                Adafactor.transformers(p)
                    .beta1(0.9)
                    .weightDecay(0.1)
                    .clipThreshold(1.5)
                    .maximize(true))
        .named(
            "unnamed-adafactor-absolute",
            FACTORED,
            p -> Adafactor.builder(p).scaleParameter(false).relativeStep(false).epsilon(1e-3))
        .refuses("beta2Decay is 0.5", p -> Adafactor.builder(p).beta2Decay(0.5))
        .refuses("clipThreshold is 0.5", p -> Adafactor.builder(p).clipThreshold(0.5))
        .refuses("beta1 is 1.0", p -> Adafactor.builder(p).beta1(1))
        .refuses("epsilon is -1.0", p -> Adafactor.builder(p).epsilon(-1))
        .refuses("epsilon2 is NaN", p -> Adafactor.builder(p).epsilon2(Double.NaN));
  }
}
