package dev.panoptim.examples.quickstart;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Adadelta;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Adamax;
import dev.panoptim.optim.Lion;
import dev.panoptim.optim.NAdam;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.RAdam;
import dev.panoptim.optim.RmsProp;
import dev.panoptim.optim.Sgd;

/// The chosen optimizer and its arguments.
///
/// @param learningRate `null` for the default of the kind, which is tuned for this model
record OptimizerChoice(Kind kind, Double learningRate, double weightDecay, int threads) {
  enum Kind {
    sgd(0.1),
    adagrad(0.05),
    rmsprop(1e-3),
    adadelta(1),
    adam(2e-3),
    adamw(2e-3),
    nadam(2e-3),
    radam(2e-3),
    adamax(4e-3),
    lion(3e-4);

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
      case adagrad -> Adagrad.builder(parameters);
      case rmsprop -> RmsProp.builder(parameters);
      case adadelta -> Adadelta.builder(parameters);
      case adam -> Adam.builder(parameters);
      case adamw -> AdamW.builder(parameters);
      case nadam -> NAdam.builder(parameters);
      case radam -> RAdam.builder(parameters);
      case adamax -> Adamax.builder(parameters);
      case lion -> Lion.builder(parameters);
    };
  }

  @Override
  public String toString() {
    return "%s, learning rate %s, weight decay %s"
        .formatted(kind, effectiveLearningRate(), weightDecay);
  }
}
