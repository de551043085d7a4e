package dev.panoptim.optim;

import static dev.panoptim.rule.Hyperparameter.BETA1;
import static dev.panoptim.rule.Hyperparameter.BETA2;
import static dev.panoptim.rule.Hyperparameter.DAMPENING;
import static dev.panoptim.rule.Hyperparameter.EPSILON;
import static dev.panoptim.rule.Hyperparameter.GAMMA;
import static dev.panoptim.rule.Hyperparameter.LARGEST_TRUST_RATIO;
import static dev.panoptim.rule.Hyperparameter.LEARNING_RATE;
import static dev.panoptim.rule.Hyperparameter.MOMENTUM;
import static dev.panoptim.rule.Hyperparameter.TRUST_COEFFICIENT;
import static dev.panoptim.rule.Hyperparameter.WEIGHT_DECAY;

import dev.panoptim.rule.Decay;
import java.util.List;
import java.util.Map;

/// The test cases of optimizers whose steps depend on sums over the elements of a tensor.
final class MeasuredCases {
  private static final List<String> FIRST = List.of("firstMoment");

  private MeasuredCases() {}

  static List<OptimizerCases> all() {
    return List.of(lamb(), lars(), novograd(), stableAdamW(), mars());
  }

  private static OptimizerCases lamb() {
    return new OptimizerCases(
            "lamb",
            Lamb::builder,
            Map.of(
                LEARNING_RATE,
                1e-3,
                BETA1,
                0.9,
                BETA2,
                0.999,
                EPSILON,
                1e-6,
                WEIGHT_DECAY,
                1e-2,
                LARGEST_TRUST_RATIO,
                (double) Float.MAX_VALUE),
            Decay.DECOUPLED)
        .with("", OptimizerCases.BOTH, p -> Lamb.builder(p).learningRate(0.01))
        .inSequence()
        .with(
            "always",
            OptimizerCases.BOTH,
            p -> Lamb.builder(p).learningRate(0.01).weightDecay(0).alwaysAdapt(true))
        .with(
            "clipped",
            OptimizerCases.BOTH,
            p -> Lamb.builder(p).learningRate(0.01).weightDecay(0.1).largestTrustRatio(1))
        .refuses("largestTrustRatio is -1.0", p -> Lamb.builder(p).largestTrustRatio(-1))
        .refuses("beta1 is 1.0", p -> Lamb.builder(p).betas(1, 0.9));
  }

  private static OptimizerCases lars() {
    return new OptimizerCases(
            "lars",
            Lars::builder,
            Map.of(
                LEARNING_RATE,
                1e-3,
                MOMENTUM,
                0.9,
                DAMPENING,
                0.0,
                TRUST_COEFFICIENT,
                1e-3,
                EPSILON,
                1e-8,
                WEIGHT_DECAY,
                0.0),
            Decay.L2)
        .with("", FIRST, p -> Lars.builder(p).learningRate(0.1).weightDecay(0.1))
        .with(
            "nesterov",
            FIRST,
            p -> Lars.builder(p).learningRate(0.1).weightDecay(0.1).nesterov(true))
        .named(
            "larc",
            FIRST,
            p ->
                Lars.builder(p)
                    .learningRate(0.1)
                    .trustCoefficient(0.02)
                    .weightDecay(0.01)
                    .clipped(true))
        .refuses("trustCoefficient is -1.0", p -> Lars.builder(p).trustCoefficient(-1))
        .refuses("momentum is 2.0", p -> Lars.builder(p).momentum(2));
  }

  private static OptimizerCases novograd() {
    return new OptimizerCases(
            "novograd",
            NovoGrad::builder,
            Map.of(
                LEARNING_RATE,
                1e-3,
                MOMENTUM,
                0.95,
                DAMPENING,
                0.0,
                BETA2,
                0.98,
                EPSILON,
                1e-8,
                WEIGHT_DECAY,
                0.0),
            Decay.L2)
        .with("", FIRST, p -> NovoGrad.builder(p).learningRate(0.01).weightDecay(0.1))
        .inSequence()
        .with(
            "averaging",
            FIRST,
            p -> NovoGrad.builder(p).learningRate(0.01).betas(0.9, 0.9).averaged(true))
        .refuses("beta2 is 1.0", p -> NovoGrad.builder(p).betas(0.9, 1))
        .refuses("epsilon is -1.0", p -> NovoGrad.builder(p).epsilon(-1));
  }

  private static OptimizerCases stableAdamW() {
    return new OptimizerCases(
            "stable-adamw",
            StableAdamW::builder,
            Map.of(LEARNING_RATE, 1e-3, BETA1, 0.9, BETA2, 0.99, EPSILON, 1e-8, WEIGHT_DECAY, 1e-2),
            Decay.DECOUPLED)
        .with(
            "",
            OptimizerCases.BOTH,
            p -> StableAdamW.builder(p).learningRate(0.01).weightDecay(0.1))
        .refuses("beta1 is NaN", p -> StableAdamW.builder(p).betas(Double.NaN, 0.9));
  }

  private static OptimizerCases mars() {
    List<String> states = List.of("firstMoment", "secondMoment", "previousGradient");
    return new OptimizerCases(
            "mars",
            Mars::builder,
            Map.of(
                LEARNING_RATE,
                3e-3,
                BETA1,
                0.95,
                BETA2,
                0.99,
                EPSILON,
                1e-8,
                GAMMA,
                0.025,
                WEIGHT_DECAY,
                0.0),
            Decay.DECOUPLED)
        .with("", states, p -> Mars.builder(p).learningRate(0.01))
        .with(
            "weight-decay",
            states,
            p -> Mars.builder(p).learningRate(0.01).gamma(0.05).weightDecay(0.1))
        .refuses("gamma is -1.0", p -> Mars.builder(p).gamma(-1));
  }
}
