package dev.panoptim.examples.quickstart;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Adadelta;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Adamax;
import dev.panoptim.optim.CommonOptions;
import dev.panoptim.optim.Lion;
import dev.panoptim.optim.Muon;
import dev.panoptim.optim.NAdam;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.RAdam;
import dev.panoptim.optim.RmsProp;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Adjustment;
import java.util.ArrayList;
import java.util.List;

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
    lion(3e-4),
    /// The hidden matrix under Muon, the rest under AdamW.
    muon(2e-3);

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
    CommonOptions<?> options =
        kind == Kind.muon ? muonAndAdamW(parameters) : configured(builder(parameters));
    return options.threads(threads).backend(backend).build();
  }

  private OptimizerBuilder<?> configured(OptimizerBuilder<?> builder) {
    return builder.learningRate(effectiveLearningRate()).weightDecay(weightDecay);
  }

  /// One learning rate serves both groups.
  private CommonOptions<?> muonAndAdamW(Iterable<Parameter> parameters) {
    List<Parameter> matrices = new ArrayList<>();
    List<Parameter> rest = new ArrayList<>();
    for (Parameter each : parameters) {
      (each.shape().size() >= 2 ? matrices : rest).add(each);
    }
    return Optimizer.builder()
        .group(configured(builder(matrices)))
        .group(configured(AdamW.builder(rest)));
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
      case muon -> Muon.builder(parameters).adjustment(Adjustment.MATCH_RMS);
    };
  }

  @Override
  public String toString() {
    return "%s, learning rate %s, weight decay %s"
        .formatted(kind, effectiveLearningRate(), weightDecay);
  }
}
