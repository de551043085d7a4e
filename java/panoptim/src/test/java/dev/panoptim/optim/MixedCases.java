package dev.panoptim.optim;

import java.util.List;
import java.util.stream.Stream;

/// Optimizers of several rules. They differ in the number of states and scalars, in how states
/// start, in the sign of the gradient and in weight decay.
final class MixedCases {
  private MixedCases() {}

  static List<Case> cases() {
    return List.of(
        new Case(
            "mixed-adamw-momentum",
            List.of(
                p -> AdamW.builder(p).learningRate(0.1),
                p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).maximize(true))),
        new Case(
            "mixed-sgd-nadam-amsgrad",
            List.of(
                p -> Sgd.builder(p).learningRate(0.1).weightDecay(0.1),
                p -> NAdam.builder(p).learningRate(0.1),
                p -> Adam.builder(p).learningRate(0.1).amsgrad(true).maximize(true))),
        new Case(
            "mixed-adagrad-lion",
            List.of(
                p -> Adagrad.builder(p).learningRate(0.1).initialAccumulator(0.5),
                p -> Lion.builder(p).learningRate(0.01).weightDecay(0.1))),
        new Case(
            "mixed-muon-adamw",
            List.of(
                p -> Muon.builder(p).learningRate(0.02),
                p -> AdamW.builder(p).learningRate(0.01))));
  }

  /// The cases that GPU backends do not refuse.
  static List<Case> onGpus() {
    return withSingle().stream().filter(each -> !each.needsCpu()).toList();
  }

  /// These, after the cases of one rule.
  static List<Case> withSingle() {
    return Stream.concat(OptimizerCases.cases().stream(), cases().stream()).toList();
  }
}
