package dev.panoptim.examples.quickstart;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.Sgd;

/// Which optimizer to train with, and its arguments.
///
/// @param learningRate `null` for the default of the kind, which suits this model
record OptimizerChoice(Kind kind, Double learningRate, double weightDecay, int threads) {
  enum Kind {
    sgd(0.1),
    adam(2e-3),
    adamw(2e-3);

    private final double learningRate;

    Kind(double learningRate) {
      this.learningRate = learningRate;
    }
  }

  double effectiveLearningRate() {
    return learningRate == null ? kind.learningRate : learningRate;
  }

  /// @throws IllegalArgumentException if an argument is out of range
  Optimizer build(Iterable<Parameter> parameters, Backend backend) {
    return builder(parameters)
        .learningRate(effectiveLearningRate())
        .weightDecay(weightDecay)
        .threads(threads)
        .backend(backend)
        .build();
  }

  private OptimizerBuilder<?> builder(Iterable<Parameter> parameters) {
    return switch (kind) {
      case sgd -> Sgd.builder(parameters).momentum(0.9);
      case adam -> Adam.builder(parameters);
      case adamw -> AdamW.builder(parameters);
    };
  }

  @Override
  public String toString() {
    return "%s, learning rate %s, weight decay %s"
        .formatted(kind, effectiveLearningRate(), weightDecay);
  }
}
