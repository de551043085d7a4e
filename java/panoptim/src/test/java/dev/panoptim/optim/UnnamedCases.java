package dev.panoptim.optim;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import java.util.List;

/// Compositions without a name; the tests of named optimizers apply to them too.
final class UnnamedCases {
  private UnnamedCases() {}

  static OptimizerCases cases() {
    Rule centered =
        Rule.builder()
            .firstMoment(FirstMoment.MOVING_AVERAGE)
            .nesterov(Nesterov.NESTEROV)
            .secondMoment(SecondMoment.CENTERED_AVERAGE)
            .decay(Decay.DECOUPLED)
            .build();
    Rule scheduled =
        Rule.builder()
            .firstMoment(FirstMoment.MOVING_AVERAGE)
            .nesterov(Nesterov.SCHEDULED)
            .secondMoment(SecondMoment.SUM)
            .biasCorrection(true)
            .decay(Decay.L2)
            .maximize(true)
            .build();
    Rule all =
        Rule.builder()
            .firstMoment(FirstMoment.HEAVY_BALL)
            .secondMoment(SecondMoment.MAXIMUM_OF_AVERAGE)
            .momentumLast(true)
            .epsilonInside(true)
            .unitCorrection(true)
            .decay(Decay.DECOUPLED)
            .build();
    return new OptimizerCases(
            "unnamed",
            p -> Optimizer.builder(centered, p),
            OptimizerCases.moments(1e-3, 0),
            Decay.DECOUPLED)
        .with(
            "centered",
            OptimizerCases.WITH_MEAN,
            p -> Optimizer.builder(centered, p).weightDecay(0.1))
        .with(
            "scheduled",
            OptimizerCases.BOTH,
            p -> Optimizer.builder(scheduled, p).learningRate(0.05))
        .with(
            "all",
            List.of("firstMoment", "secondMoment", "maximum", "units"),
            p -> Optimizer.builder(all, p).learningRate(0.5).weightDecay(0.1))
        .refuses(
            "momentum is not a hyperparameter of this rule",
            p -> Optimizer.builder(centered, p).with(Hyperparameter.MOMENTUM, 0.9))
        .refuses("beta1 is 1.0", p -> Optimizer.builder(centered, p).with(Hyperparameter.BETA1, 1));
  }
}
