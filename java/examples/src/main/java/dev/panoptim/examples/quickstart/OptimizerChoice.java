package dev.panoptim.examples.quickstart;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.AdEmaMix;
import dev.panoptim.optim.AdaBelief;
import dev.panoptim.optim.Adadelta;
import dev.panoptim.optim.Adafactor;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Adamax;
import dev.panoptim.optim.Adan;
import dev.panoptim.optim.Adopt;
import dev.panoptim.optim.Asgd;
import dev.panoptim.optim.CommonOptions;
import dev.panoptim.optim.Ftrl;
import dev.panoptim.optim.LaProp;
import dev.panoptim.optim.Lamb;
import dev.panoptim.optim.Lars;
import dev.panoptim.optim.Lion;
import dev.panoptim.optim.Mars;
import dev.panoptim.optim.Muon;
import dev.panoptim.optim.NAdam;
import dev.panoptim.optim.NAdamW;
import dev.panoptim.optim.NovoGrad;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.QhAdam;
import dev.panoptim.optim.Qhm;
import dev.panoptim.optim.RAdam;
import dev.panoptim.optim.RAdamW;
import dev.panoptim.optim.RmsProp;
import dev.panoptim.optim.Rprop;
import dev.panoptim.optim.ScheduleFreeAdamW;
import dev.panoptim.optim.ScheduleFreeSgd;
import dev.panoptim.optim.Sgd;
import dev.panoptim.optim.SgdW;
import dev.panoptim.optim.Signum;
import dev.panoptim.optim.Sophia;
import dev.panoptim.optim.StableAdamW;
import dev.panoptim.optim.Yogi;
import dev.panoptim.rule.Adjustment;
import dev.panoptim.rule.SecondMoment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// The chosen optimizer and its arguments.
///
/// @param learningRate `null` for the default of the kind, which is tuned for this model
/// @param weightDecay `null` for the default of the kind
record OptimizerChoice(Kind kind, Double learningRate, Double weightDecay, int threads) {
  /// Steps between two measurements of Sophia's Hessian, as in its authors' experiments.
  private static final int HESSIAN_EVERY = 10;

  /// The learning rate of AdamW beside Muon, as a multiple of Muon's. Tuned for this model.
  private static final double RATE_BESIDE_MUON = 1.5;

  /// An optimizer by its class's name.
  ///
  /// The learning rates had low validation losses after 250 to 600 steps, among two or three values
  /// for some kinds; the others have the rate of a similar kind. The default weight decay is 0.01
  /// if it is decoupled, and 0 otherwise.
  enum Kind {
    sgd(0.1, 0, p -> Sgd.builder(p).momentum(0.9)),
    sgdw(0.1, 0.01, p -> SgdW.builder(p).momentum(0.9)),
    qhm(1, 0, p -> Qhm.builder(p).momentum(0.9)),
    asgd(1, 0, Asgd::builder),
    signum(2e-3, 0.01, Signum::builder),
    lion(2e-3, 0.01, Lion::builder),
    // For gradients of whole data sets. Batches differ, so larger steps diverge.
    rprop(1e-4, 0, p -> Rprop.builder(p).stepSizes(1e-6, 1e-3)),
    lars(3, 0, p -> Lars.builder(p).momentum(0.9)),
    schedulefreesgd(1, 0, ScheduleFreeSgd::builder),
    adagrad(0.03, 0, Adagrad::builder),
    ftrl(0.3, 0, Ftrl::builder),
    adadelta(3, 0, Adadelta::builder),
    rmsprop(3e-3, 0, RmsProp::builder),
    adam(5e-3, 0, Adam::builder),
    adamw(5e-3, 0.01, AdamW::builder),
    adamax(1e-2, 0, Adamax::builder),
    nadam(5e-3, 0, NAdam::builder),
    nadamw(5e-3, 0.01, NAdamW::builder),
    radam(5e-3, 0, RAdam::builder),
    radamw(5e-3, 0.01, RAdamW::builder),
    stableadamw(5e-3, 0.01, StableAdamW::builder),
    lamb(1e-2, 0.01, Lamb::builder),
    novograd(3e-2, 0, NovoGrad::builder),
    adafactor(0.1, 0, Adafactor::builder),
    adabelief(5e-3, 0.01, AdaBelief::builder),
    yogi(2e-2, 0, Yogi::builder),
    qhadam(5e-3, 0, QhAdam::builder),
    laprop(5e-3, 0.01, LaProp::builder),
    adopt(2e-3, 0.01, Adopt::builder),
    ademamix(5e-3, 0.01, AdEmaMix::builder),
    adan(1e-2, 0.01, Adan::builder),
    mars(1e-2, 0.01, Mars::builder),
    sophia(1e-3, 0.01, p -> Sophia.builder(p).batchSize(128)),
    schedulefreeadamw(2e-2, 0.01, ScheduleFreeAdamW::builder),
    /// The hidden matrix under Muon, the rest under AdamW.
    muon(5e-3, 0.01, p -> Muon.builder(p).adjustment(Adjustment.MATCH_RMS));

    private final double learningRate;
    private final double weightDecay;
    private final Function<Iterable<Parameter>, OptimizerBuilder<?>> builder;

    Kind(
        double learningRate,
        double weightDecay,
        Function<Iterable<Parameter>, OptimizerBuilder<?>> builder) {
      this.learningRate = learningRate;
      this.weightDecay = weightDecay;
      this.builder = builder;
    }
  }

  /// A kind with its default learning rate and weight decay.
  static OptimizerChoice tuned(Kind kind, int threads) {
    return new OptimizerChoice(kind, null, null, threads);
  }

  double effectiveLearningRate() {
    return learningRate == null ? kind.learningRate : learningRate;
  }

  double effectiveWeightDecay() {
    return weightDecay == null ? kind.weightDecay : weightDecay;
  }

  /// @throws IllegalArgumentException if an argument is out of range
  Optimizer build(Iterable<Parameter> parameters, Backend backend) {
    CommonOptions<?> options =
        kind == Kind.muon ? muonAndAdamW(parameters) : configured(kind.builder.apply(parameters));
    return options.threads(threads).backend(backend).build();
  }

  private OptimizerBuilder<?> configured(OptimizerBuilder<?> builder) {
    return builder.learningRate(effectiveLearningRate()).weightDecay(effectiveWeightDecay());
  }

  private CommonOptions<?> muonAndAdamW(Iterable<Parameter> parameters) {
    List<Parameter> matrices = new ArrayList<>();
    List<Parameter> rest = new ArrayList<>();
    for (Parameter each : parameters) {
      (each.shape().size() >= 2 ? matrices : rest).add(each);
    }
    return Optimizer.builder()
        .group(configured(kind.builder.apply(matrices)))
        .group(
            configured(AdamW.builder(rest))
                .learningRate(RATE_BESIDE_MUON * effectiveLearningRate()));
  }

  /// Makes a step.
  ///
  /// Sophia's Hessian is measured from the gradients of the step. Its authors use gradients for
  /// labels that are sampled from the model's predictions, which take a second backward pass.
  ///
  /// @param number of the step, from 1
  static void step(Optimizer optimizer, long number) {
    if (optimizer.paramGroups().getFirst().rule().secondMoment() == SecondMoment.CURVATURE_AVERAGE
        && number % HESSIAN_EVERY == 1) {
      optimizer.updateHessian();
    }
    optimizer.step();
  }

  @Override
  public String toString() {
    return "%s, learning rate %s, weight decay %s"
        .formatted(kind, effectiveLearningRate(), effectiveWeightDecay());
  }
}
