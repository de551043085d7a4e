package dev.panoptim.optim;

import static dev.panoptim.rule.Hyperparameter.BETA1;
import static dev.panoptim.rule.Hyperparameter.ITERATIONS;
import static dev.panoptim.rule.Hyperparameter.LEARNING_RATE;
import static dev.panoptim.rule.Hyperparameter.WEIGHT_DECAY;

import dev.panoptim.rule.Adjustment;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Orthogonalization;
import java.util.List;
import java.util.Map;

/// The test cases of optimizers of matrices.
final class MatrixCases {
  private static final List<String> FIRST = List.of("firstMoment");

  private MatrixCases() {}

  static List<OptimizerCases> all() {
    return List.of(muon());
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
}
