package dev.panoptim.checkpoint;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
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
import dev.panoptim.optim.GroupsBuilder;
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
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Orthogonalization;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.schedule.Scheduler;
import dev.panoptim.schedule.Schedules;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Function;

/// A small training for tests. Its gradients depend only on the step and the parameter, so that it
/// can be interrupted anywhere and compared bit by bit.
///
/// Not thread-safe.
final class Trainee implements AutoCloseable {
  /// One builder for every preset's states, and for everything else that a state dict contains.
  static final Map<String, Function<Iterable<Parameter>, CommonOptions<?>>> KINDS =
      new LinkedHashMap<>();

  static {
    KINDS.put("sgd", p -> Sgd.builder(p).learningRate(0.1));
    KINDS.put("momentum", p -> Sgd.builder(p).learningRate(0.1).momentum(0.9));
    KINDS.put("adagrad", p -> Adagrad.builder(p).initialAccumulator(0.5));
    KINDS.put("rmsprop", p -> RmsProp.builder(p).centered(true).momentum(0.9));
    KINDS.put("adadelta", p -> Adadelta.builder(p));
    KINDS.put("adam", p -> Adam.builder(p).amsgrad(true));
    KINDS.put("adamw", p -> AdamW.builder(p).learningRate(0.01));
    KINDS.put("nadam", p -> NAdam.builder(p));
    KINDS.put("lion", p -> Lion.builder(p));
    KINDS.put(
        "muon",
        p ->
            Muon.builder(p)
                .learningRate(0.1)
                .adjustment(Adjustment.MATCH_RMS)
                .coefficients(Orthogonalization.QUINTIC));
    KINDS.put("adafactor", p -> Adafactor.builder(p));
    KINDS.put("adafactor-momentum", p -> Adafactor.transformers(p).beta1(0.9).weightDecay(0.1));
    KINDS.put("lamb", p -> Lamb.builder(p));
    KINDS.put("lars", p -> Lars.builder(p).learningRate(0.1).weightDecay(0.1));
    KINDS.put("novograd", p -> NovoGrad.builder(p).weightDecay(0.1));
    KINDS.put("stable-adamw", p -> StableAdamW.builder(p));
    KINDS.put("mars", p -> Mars.builder(p));
    KINDS.put("radam", p -> RAdam.builder(p));
    KINDS.put("adamax", p -> Adamax.builder(p));
    KINDS.put("sgdw", p -> SgdW.builder(p).learningRate(0.1).momentum(0.9).weightDecay(0.1));
    KINDS.put("signum", p -> Signum.builder(p));
    KINDS.put("qhm", p -> Qhm.builder(p).learningRate(0.1));
    KINDS.put("qhadam", p -> QhAdam.builder(p));
    KINDS.put("nadamw", p -> NAdamW.builder(p));
    KINDS.put("radamw", p -> RAdamW.builder(p));
    KINDS.put("adabelief", p -> AdaBelief.builder(p));
    KINDS.put("yogi", p -> Yogi.builder(p));
    KINDS.put("laprop", p -> LaProp.builder(p));
    KINDS.put("adopt", p -> Adopt.builder(p));
    KINDS.put("ademamix", p -> AdEmaMix.builder(p).warmupSteps(15));
    KINDS.put("adan", p -> Adan.builder(p).weightDecay(0.1));
    KINDS.put("sophia", p -> Sophia.builder(p));
    KINDS.put("asgd", p -> Asgd.builder(p).averagingStart(8));
    KINDS.put("rprop", p -> Rprop.builder(p));
    KINDS.put("ftrl", p -> Ftrl.builder(p).learningRate(0.1).l1(0.01));
    KINDS.put("schedule-free-sgd", p -> ScheduleFreeSgd.builder(p).learningRate(0.1));
    KINDS.put("schedule-free-adamw", p -> ScheduleFreeAdamW.builder(p).warmupSteps(15));
    KINDS.put("cautious", p -> AdamW.builder(p).cautious(true));
    KINDS.put("mixed", Trainee::mixed);
    KINDS.put(
        "averaged",
        p -> AdamW.builder(p).averageParameters(0.9).halfPrecisionCopy(HalfPrecision.BFLOAT16));
    KINDS.put(
        "composed",
        p ->
            Optimizer.builder(
                Rule.builder()
                    .firstMoment(FirstMoment.MOVING_AVERAGE)
                    .nesterov(Nesterov.NESTEROV)
                    .secondMoment(SecondMoment.CENTERED_AVERAGE)
                    .build(),
                p));
  }

  /// Rules take turns, by the names of the parameters. A group for each parameter, in its order.
  private static CommonOptions<?> mixed(Iterable<Parameter> parameters) {
    GroupsBuilder builder = Optimizer.builder();
    for (Parameter each : parameters) {
      List<Parameter> alone = List.of(each);
      boolean isEven = each.name().charAt("layer".length()) % 2 == 0;
      builder.group(
          isEven ? NAdam.builder(alone) : Sgd.builder(alone).learningRate(0.1).momentum(0.9));
    }
    return builder;
  }

  static final Function<Iterable<Parameter>, CommonOptions<?>> ADAMW = KINDS.get("adamw");

  final Parameters parameters;
  final Optimizer optimizer;
  final Scheduler scheduler;
  private long step;

  Trainee(Function<Iterable<Parameter>, CommonOptions<?>> kind, long... sizes) {
    Parameters.Builder builder = Parameters.builder();
    for (int i = 0; i < sizes.length; i++) {
      builder.add("layer" + i + ".weight", matrix(sizes[i]));
    }
    parameters = builder.build();
    for (Parameter each : parameters) {
      each.copyDataFrom(numbers(each.size(), each.name().hashCode()));
    }
    optimizer = kind.apply(parameters).build();
    scheduler = schedule(optimizer);
  }

  /// The shape of a matrix, for optimizers that need one.
  private static long[] matrix(long size) {
    long rows = size > 0 && size % 100 == 0 ? 100 : 1;
    return new long[] {rows, size / rows};
  }

  /// Creates a training like another one, as a new process would, but with other groups, another
  /// backend and another number of threads.
  Trainee(Trainee like, Function<Iterable<Parameter>, CommonOptions<?>> kind) {
    this(like, kind, Backends.scalar());
  }

  Trainee(Trainee like, Function<Iterable<Parameter>, CommonOptions<?>> kind, Backend backend) {
    Parameters.Builder builder = Parameters.builder().device(backend.device());
    like.parameters.all().reversed().forEach(each -> builder.add(each.name(), matrix(each.size())));
    parameters = builder.build();
    List<Parameter> all = parameters.all();
    CommonOptions<?> options = kind.apply(all.subList(0, 1));
    if (options instanceof OptimizerBuilder<?> preset) {
      preset.group(all.subList(1, all.size()), Map.of(Hyperparameter.LEARNING_RATE, 0.5));
    } else {
      options = kind.apply(all);
    }
    optimizer = options.backend(backend).threads(1).build();
    scheduler = schedule(optimizer);
  }

  private static Scheduler schedule(Optimizer optimizer) {
    return Scheduler.builder(optimizer)
        .drive(
            Hyperparameter.LEARNING_RATE,
            Schedules.warmupThen(5, Schedules.cosineAnnealing(1000, 1e-5)))
        .build();
  }

  Training training() {
    return Training.of(optimizer).withScheduler(scheduler);
  }

  long step() {
    return step;
  }

  /// Continues from a checkpoint.
  void resume(Checkpoint checkpoint) {
    checkpoint.load(training());
    step = checkpoint.step();
  }

  /// Updates the Hessian from other gradients than those of steps.
  void updateHessian() {
    setGradients(-1);
    optimizer.updateHessian();
  }

  private void setGradients(long number) {
    for (Parameter each : parameters) {
      each.copyGradientFrom(numbers(each.size(), each.name().hashCode() + 31 * number));
    }
  }

  void trainTo(long last) {
    while (step < last) {
      step++;
      setGradients(step);
      optimizer.step();
      scheduler.step();
    }
  }

  private static MemorySegment numbers(long size, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] numbers = new float[(int) size];
    for (int i = 0; i < size; i++) {
      numbers[i] = (float) random.nextDouble(-1, 1);
    }
    return MemorySegment.ofArray(numbers);
  }

  /// Everything that must be equal: data, states, averages, 16-bit copies, counts and
  /// hyperparameters.
  Map<String, String> bits() {
    Map<String, String> all = new TreeMap<>();
    for (Parameter each : parameters) {
      long bytes = each.size() * Float.BYTES;
      all.put(each.name(), Checksums.ofMapped(each.device().copyOf(each.data(), bytes)));
      if (optimizer.hasHalfPrecisionCopies()) {
        all.put(
            "halfPrecision/" + each.name(),
            Checksums.ofMapped(each.device().copyOf(optimizer.halfPrecisionCopy(each), bytes / 2)));
      }
      all.put("steps/" + each.name(), Long.toString(optimizer.stepCount(each)));
    }
    optimizer
        .stateDict()
        .parameters()
        .forEach(
            (name, state) -> {
              state
                  .states()
                  .forEach((kind, of) -> all.put(kind + "/" + name, Checksums.ofMapped(of)));
              all.put("scalars/" + name, new TreeMap<>(state.scalars()).toString());
              all.put("hyperparameters/" + name, new TreeMap<>(state.hyperparameters()).toString());
            });
    all.put("position", Long.toString(scheduler.position()));
    return all;
  }

  @Override
  public void close() {
    optimizer.close();
    parameters.close();
  }
}
