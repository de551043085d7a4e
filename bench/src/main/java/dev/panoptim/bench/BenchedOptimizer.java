package dev.panoptim.bench;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdEmaMix;
import dev.panoptim.optim.AdaBelief;
import dev.panoptim.optim.Adadelta;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Adamax;
import dev.panoptim.optim.Adan;
import dev.panoptim.optim.Adopt;
import dev.panoptim.optim.Asgd;
import dev.panoptim.optim.Ftrl;
import dev.panoptim.optim.LaProp;
import dev.panoptim.optim.Lion;
import dev.panoptim.optim.NAdam;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.QhAdam;
import dev.panoptim.optim.Qhm;
import dev.panoptim.optim.RAdam;
import dev.panoptim.optim.RmsProp;
import dev.panoptim.optim.Rprop;
import dev.panoptim.optim.ScheduleFreeAdamW;
import dev.panoptim.optim.ScheduleFreeSgd;
import dev.panoptim.optim.Sgd;
import dev.panoptim.optim.SgdW;
import dev.panoptim.optim.Signum;
import dev.panoptim.optim.Sophia;
import dev.panoptim.optim.Yogi;
import java.util.Locale;
import java.util.function.Function;

/// An optimizer of the benchmarks, with arguments that PyTorch has too.
public enum BenchedOptimizer {
  SGD("SGD(p, lr=1e-3)", Sgd::builder),
  SGD_MOMENTUM("SGD(p, lr=1e-3, momentum=0.9)", p -> Sgd.builder(p).momentum(0.9)),
  SGD_NESTEROV(
      "SGD(p, lr=1e-3, momentum=0.9, nesterov=True)",
      p -> Sgd.builder(p).momentum(0.9).nesterov(true)),
  ADAGRAD("Adagrad(p)", Adagrad::builder),
  RMSPROP("RMSprop(p)", RmsProp::builder),
  RMSPROP_CENTERED("RMSprop(p, centered=True)", p -> RmsProp.builder(p).centered(true)),
  RMSPROP_CENTERED_MOMENTUM(
      "RMSprop(p, centered=True, momentum=0.9)",
      p -> RmsProp.builder(p).centered(true).momentum(0.9)),
  ADADELTA("Adadelta(p)", Adadelta::builder),
  ADAM("Adam(p)", Adam::builder),
  ADAM_AMSGRAD("Adam(p, amsgrad=True)", p -> Adam.builder(p).amsgrad(true)),
  ADAMW("AdamW(p)", AdamW::builder),
  NADAM("NAdam(p)", NAdam::builder),
  RADAM("RAdam(p)", RAdam::builder),
  ADAMAX("Adamax(p)", Adamax::builder),
  LION(null, Lion::builder),
  SGDW(null, p -> SgdW.builder(p).momentum(0.9).weightDecay(0.01)),
  SIGNUM(null, Signum::builder),
  QHM(null, Qhm::builder),
  ASGD("ASGD(p)", Asgd::builder),
  RPROP("Rprop(p)", Rprop::builder),
  SCHEDULE_FREE_SGD(null, ScheduleFreeSgd::builder),
  FTRL(null, Ftrl::builder),
  QHADAM(null, QhAdam::builder),
  ADABELIEF(null, AdaBelief::builder),
  YOGI(null, Yogi::builder),
  LAPROP(null, LaProp::builder),
  ADOPT(null, Adopt::builder),
  ADEMAMIX(null, AdEmaMix::builder),
  ADAN(null, Adan::builder),
  SOPHIA(null, p -> Sophia.builder(p).batchSize(1)),
  SCHEDULE_FREE_ADAMW(null, ScheduleFreeAdamW::builder);

  /// Optimizers that share a chart.
  public enum Family {
    GRADIENT_DESCENT("Gradient descent and its momentum"),
    ADAPTIVE("Adaptive rates"),
    ADAPTIVE_MOMENTS("Adaptive rates with momentum"),
    NEWER_ADAPTIVE_MOMENTS("Adaptive rates with momentum, newer rules");

    private final String title;

    Family(String title) {
      this.title = title;
    }

    public String title() {
      return title;
    }
  }

  private final String inPyTorch;
  private final Function<Iterable<Parameter>, OptimizerBuilder<?>> builder;

  BenchedOptimizer(String inPyTorch, Function<Iterable<Parameter>, OptimizerBuilder<?>> builder) {
    this.inPyTorch = inPyTorch;
    this.builder = builder;
  }

  OptimizerBuilder<?> builder(Iterable<Parameter> parameters) {
    return builder.apply(parameters);
  }

  /// The name in reports.
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  public Family family() {
    return switch (this) {
      case SGD,
          SGD_MOMENTUM,
          SGD_NESTEROV,
          LION,
          SGDW,
          SIGNUM,
          QHM,
          ASGD,
          RPROP,
          SCHEDULE_FREE_SGD ->
          Family.GRADIENT_DESCENT;
      case ADAGRAD, RMSPROP, RMSPROP_CENTERED, RMSPROP_CENTERED_MOMENTUM, ADADELTA, FTRL ->
          Family.ADAPTIVE;
      case ADAM, ADAM_AMSGRAD, ADAMW, NADAM, RADAM, ADAMAX -> Family.ADAPTIVE_MOMENTS;
      case QHADAM, ADABELIEF, YOGI, LAPROP, ADOPT, ADEMAMIX, ADAN, SOPHIA, SCHEDULE_FREE_ADAMW ->
          Family.NEWER_ADAPTIVE_MOMENTS;
    };
  }

  /// Bytes that a step moves per parameter: data and states are read and written, the gradient is
  /// read.
  public int bytesMoved() {
    try (Parameters any = Parameters.builder().add("p", 1).build();
        Optimizer optimizer = builder(any).build()) {
      return Float.BYTES * (3 + 2 * optimizer.rule().stateNames().size());
    }
  }

  /// The constructor call in `torch.optim` for parameters `p`; `null` if it has none.
  String inPyTorch() {
    return inPyTorch;
  }

  /// The constructor call of its fused form; `null` if it has none.
  String inPyTorchFused() {
    return switch (this) {
      case SGD, SGD_MOMENTUM, SGD_NESTEROV, ADAGRAD, ADAM, ADAM_AMSGRAD, ADAMW ->
          inPyTorch.replace(")", ", fused=True)");
      default -> null;
    };
  }
}
