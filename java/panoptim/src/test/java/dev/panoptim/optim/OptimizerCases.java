package dev.panoptim.optim;

import static dev.panoptim.rule.Hyperparameter.BETA1;
import static dev.panoptim.rule.Hyperparameter.BETA2;
import static dev.panoptim.rule.Hyperparameter.EPSILON;
import static dev.panoptim.rule.Hyperparameter.INITIAL_ACCUMULATOR;
import static dev.panoptim.rule.Hyperparameter.LEARNING_RATE;
import static dev.panoptim.rule.Hyperparameter.LEARNING_RATE_DECAY;
import static dev.panoptim.rule.Hyperparameter.MOMENTUM_DECAY;
import static dev.panoptim.rule.Hyperparameter.WEIGHT_DECAY;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;

/// The test cases of each optimizer, defined once. General tests run over all optimizers, or over
/// all their [Case]s.
///
/// PyTorch's results for the cases are in `src/test/goldens`; the script there defines the same
/// cases.
final class OptimizerCases {
  private static final List<String> NONE = List.of();
  private static final List<String> FIRST = List.of("firstMoment");
  private static final List<String> SECOND = List.of("secondMoment");
  static final List<String> BOTH = List.of("firstMoment", "secondMoment");
  private static final List<String> WITH_MAXIMUM =
      List.of("firstMoment", "secondMoment", "maximum");
  static final List<String> WITH_MEAN = List.of("firstMoment", "secondMoment", "mean");

  private final String name;
  private final Function<Iterable<Parameter>, OptimizerBuilder<?>> preset;
  private final Map<Hyperparameter, Double> defaults;
  private final Decay decay;
  private final List<Case> cases = new ArrayList<>();
  private final Map<String, Consumer<Iterable<Parameter>>> illegal = new LinkedHashMap<>();
  private final List<Case> sequences = new ArrayList<>();

  /// @param defaults all hyperparameters of the preset without arguments
  /// @param decay the kind of weight decay of the preset without arguments
  OptimizerCases(
      String name,
      Function<Iterable<Parameter>, OptimizerBuilder<?>> preset,
      Map<Hyperparameter, Double> defaults,
      Decay decay) {
    this.name = name;
    this.preset = preset;
    this.defaults = defaults;
    this.decay = decay;
  }

  OptimizerCases with(
      String suffix,
      List<String> states,
      Function<Iterable<Parameter>, OptimizerBuilder<?>> builder) {
    return named(suffix.isEmpty() ? name : name + "-" + suffix, states, builder);
  }

  OptimizerCases named(
      String whole,
      List<String> states,
      Function<Iterable<Parameter>, OptimizerBuilder<?>> builder) {
    cases.add(new Case(whole, builder, states));
    return this;
  }

  /// Gives the previous case parameters of another shape in the tests of golden files.
  OptimizerCases shaped(LongFunction<long[]> shape) {
    Case last = cases.removeLast();
    cases.add(new Case(last.name(), last.presets(), last.states(), shape));
    return this;
  }

  /// Adds the previous case to the trainings in which groups, gradients and learning rates change.
  OptimizerCases inSequence() {
    sequences.add(cases.getLast());
    return this;
  }

  /// @param words the words that the message must contain
  OptimizerCases refuses(String words, Consumer<Iterable<Parameter>> arguments) {
    illegal.put(words, arguments);
    return this;
  }

  static List<OptimizerCases> all() {
    List<OptimizerCases> all =
        new ArrayList<>(
            List.of(
                sgd(),
                adagrad(),
                rmsprop(),
                adadelta(),
                adam(),
                adamw(),
                nadam(),
                radam(),
                adamax(),
                lion()));
    all.addAll(NewerCases.all());
    all.addAll(MeasuredCases.all());
    all.addAll(MatrixCases.all());
    all.add(UnnamedCases.cases());
    return all;
  }

  /// The cases of all optimizers.
  static List<Case> cases() {
    return all().stream().flatMap(each -> each.cases.stream()).toList();
  }

  /// The cases of trainings in which groups, gradients and learning rates change.
  static List<Case> sequences() {
    return all().stream().flatMap(each -> each.sequences.stream()).toList();
  }

  static Case caseOf(String name) {
    return cases().stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow();
  }

  Function<Iterable<Parameter>, OptimizerBuilder<?>> preset() {
    return preset;
  }

  Map<Hyperparameter, Double> defaults() {
    return defaults;
  }

  Decay decay() {
    return decay;
  }

  Map<String, Consumer<Iterable<Parameter>>> illegal() {
    return illegal;
  }

  @Override
  public String toString() {
    return name;
  }

  private static OptimizerCases sgd() {
    return new OptimizerCases(
            "sgd", Sgd::builder, Map.of(LEARNING_RATE, 1e-3, WEIGHT_DECAY, 0.0), Decay.L2)
        .with("", NONE, p -> Sgd.builder(p).learningRate(0.1))
        .with("weight-decay", NONE, p -> Sgd.builder(p).learningRate(0.1).weightDecay(0.1))
        .with("maximize", NONE, p -> Sgd.builder(p).learningRate(0.1).maximize(true))
        .with("momentum", FIRST, p -> Sgd.builder(p).learningRate(0.1).momentum(0.9))
        .inSequence()
        .with(
            "momentum-dampening",
            FIRST,
            p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).dampening(0.5))
        .with(
            "momentum-maximize",
            FIRST,
            p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).maximize(true))
        .with(
            "nesterov",
            FIRST,
            p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).nesterov(true).weightDecay(0.1))
        .with(
            "averaged-momentum",
            FIRST,
            p -> Sgd.builder(p).learningRate(0.1).averagedMomentum(0.9).weightDecay(0.1))
        .refuses("momentum is 2.0", p -> Sgd.builder(p).momentum(2))
        .refuses("dampening is -1.0", p -> Sgd.builder(p).momentum(0.9).dampening(-1))
        .refuses("nesterov needs", p -> Sgd.builder(p).nesterov(true).build())
        .refuses(
            "nesterov needs a momentum above 0 and a dampening of 0",
            p -> Sgd.builder(p).momentum(0.9).dampening(0.1).nesterov(true).build())
        .refuses("beta1 is 1.0", p -> Sgd.builder(p).averagedMomentum(1))
        .with(
            "momentum-cautious",
            FIRST,
            p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).cautious(true))
        .refuses("update CAUTIOUS needs a first moment", p -> Sgd.builder(p).cautious(true).build())
        .refuses(
            "averagedMomentum replaces momentum",
            p -> Sgd.builder(p).momentum(0.9).averagedMomentum(0.9).build());
  }

  private static OptimizerCases adagrad() {
    return new OptimizerCases(
            "adagrad",
            Adagrad::builder,
            Map.of(
                LEARNING_RATE,
                1e-2,
                LEARNING_RATE_DECAY,
                0.0,
                INITIAL_ACCUMULATOR,
                0.0,
                EPSILON,
                1e-10,
                WEIGHT_DECAY,
                0.0),
            Decay.L2)
        .with("", SECOND, p -> Adagrad.builder(p).learningRate(0.1))
        .with("lr-decay", SECOND, p -> Adagrad.builder(p).learningRate(0.1).learningRateDecay(0.1))
        .inSequence()
        .with(
            "initial",
            SECOND,
            p -> Adagrad.builder(p).learningRate(0.1).initialAccumulator(0.5).epsilon(1e-3))
        .with(
            "weight-decay",
            SECOND,
            p -> Adagrad.builder(p).learningRate(0.1).weightDecay(0.1).maximize(true))
        .refuses("learningRateDecay is -1.0", p -> Adagrad.builder(p).learningRateDecay(-1))
        .refuses("initialAccumulator is -1.0", p -> Adagrad.builder(p).initialAccumulator(-1))
        .refuses("epsilon is -1.0", p -> Adagrad.builder(p).epsilon(-1));
  }

  private static OptimizerCases rmsprop() {
    return new OptimizerCases(
            "rmsprop",
            RmsProp::builder,
            Map.of(LEARNING_RATE, 1e-2, BETA2, 0.99, EPSILON, 1e-8, WEIGHT_DECAY, 0.0),
            Decay.L2)
        .with("", SECOND, p -> RmsProp.builder(p).learningRate(0.1))
        .with("alpha", SECOND, p -> RmsProp.builder(p).alpha(0.9).epsilon(1e-3).weightDecay(0.1))
        .with("momentum", BOTH, p -> RmsProp.builder(p).momentum(0.9).maximize(true))
        .inSequence()
        .with("centered", List.of("secondMoment", "mean"), p -> RmsProp.builder(p).centered(true))
        .with(
            "centered-momentum",
            WITH_MEAN,
            p -> RmsProp.builder(p).learningRate(0.1).centered(true).momentum(0.9))
        .refuses("beta2 is 1.0", p -> RmsProp.builder(p).alpha(1))
        .refuses("epsilon is NaN", p -> RmsProp.builder(p).epsilon(Double.NaN))
        .refuses("momentum is -0.1", p -> RmsProp.builder(p).momentum(-0.1));
  }

  private static OptimizerCases adadelta() {
    List<String> states = List.of("secondMoment", "units");
    return new OptimizerCases(
            "adadelta",
            Adadelta::builder,
            Map.of(LEARNING_RATE, 1.0, BETA2, 0.9, EPSILON, 1e-6, WEIGHT_DECAY, 0.0),
            Decay.L2)
        .with("", states, Adadelta::builder)
        .inSequence()
        .with(
            "rho",
            states,
            p -> Adadelta.builder(p).learningRate(0.5).rho(0.8).epsilon(1e-3).weightDecay(0.1))
        .with("maximize", states, p -> Adadelta.builder(p).maximize(true))
        .refuses("beta2 is 1.5", p -> Adadelta.builder(p).rho(1.5))
        .refuses("epsilon is -1.0", p -> Adadelta.builder(p).epsilon(-1));
  }

  private static OptimizerCases adam() {
    return new OptimizerCases("adam", Adam::builder, moments(1e-3, 0), Decay.L2)
        .with("", BOTH, p -> Adam.builder(p).learningRate(0.1))
        .inSequence()
        .with("betas", BOTH, p -> Adam.builder(p).learningRate(0.01).betas(0.8, 0.9).epsilon(1e-3))
        .with("weight-decay", BOTH, p -> Adam.builder(p).learningRate(0.01).weightDecay(0.1))
        .with("maximize", BOTH, p -> Adam.builder(p).learningRate(0.1).maximize(true))
        .with(
            "amsgrad",
            WITH_MAXIMUM,
            p -> Adam.builder(p).learningRate(0.1).amsgrad(true).weightDecay(0.1))
        .inSequence()
        .with(
            "epsilon-before",
            BOTH,
            p ->
                Adam.builder(p)
                    .learningRate(0.01)
                    .betas(0.8, 0.9)
                    .epsilon(1e-3)
                    .epsilonBeforeCorrection(true))
        .inSequence()
        .refuses("beta1 is 1.0", p -> Adam.builder(p).betas(1, 0.9))
        .refuses("beta2 is -0.1", p -> Adam.builder(p).betas(0.9, -0.1))
        .refuses("epsilon is -1.0", p -> Adam.builder(p).epsilon(-1));
  }

  private static OptimizerCases adamw() {
    return new OptimizerCases("adamw", AdamW::builder, moments(1e-3, 1e-2), Decay.DECOUPLED)
        .with("", BOTH, p -> AdamW.builder(p).learningRate(0.1))
        .inSequence()
        .with(
            "weight-decay",
            BOTH,
            p -> AdamW.builder(p).learningRate(0.01).weightDecay(0.5).betas(0.8, 0.9).epsilon(1e-3))
        .with(
            "amsgrad",
            WITH_MAXIMUM,
            p -> AdamW.builder(p).learningRate(0.01).amsgrad(true).maximize(true))
        .with(
            "epsilon-before",
            WITH_MAXIMUM,
            p ->
                AdamW.builder(p)
                    .learningRate(0.01)
                    .epsilon(1e-3)
                    .weightDecay(0.1)
                    .amsgrad(true)
                    .epsilonBeforeCorrection(true))
        .with(
            "cautious",
            BOTH,
            p -> AdamW.builder(p).learningRate(0.01).weightDecay(0.1).cautious(true))
        .inSequence()
        .refuses(
            "update CAUTIOUS needs", p -> AdamW.builder(p).amsgrad(true).cautious(true).build())
        .refuses("beta1 is NaN", p -> AdamW.builder(p).betas(Double.NaN, 0.9))
        .refuses("epsilon is Infinity", p -> AdamW.builder(p).epsilon(Double.POSITIVE_INFINITY));
  }

  private static OptimizerCases nadam() {
    Map<Hyperparameter, Double> defaults = new LinkedHashMap<>(moments(2e-3, 0));
    defaults.put(MOMENTUM_DECAY, 4e-3);
    return new OptimizerCases("nadam", NAdam::builder, defaults, Decay.L2)
        .with("", BOTH, p -> NAdam.builder(p).learningRate(0.1))
        .inSequence()
        .with(
            "momentum-decay",
            BOTH,
            p ->
                NAdam.builder(p)
                    .learningRate(0.01)
                    .momentumDecay(0.1)
                    .betas(0.8, 0.9)
                    .epsilon(1e-3))
        .with("weight-decay", BOTH, p -> NAdam.builder(p).learningRate(0.01).weightDecay(0.1))
        .with(
            "decoupled",
            BOTH,
            p ->
                NAdam.builder(p)
                    .learningRate(0.01)
                    .weightDecay(0.1)
                    .decoupledWeightDecay(true)
                    .maximize(true))
        .with(
            "epsilon-before",
            BOTH,
            p -> NAdam.builder(p).learningRate(0.01).epsilon(1e-3).epsilonBeforeCorrection(true))
        .refuses("momentumDecay is -1.0", p -> NAdam.builder(p).momentumDecay(-1))
        .refuses("beta1 is 1.0", p -> NAdam.builder(p).betas(1, 0.9));
  }

  private static OptimizerCases radam() {
    return new OptimizerCases("radam", RAdam::builder, moments(1e-3, 0), Decay.L2)
        .with("", BOTH, p -> RAdam.builder(p).learningRate(0.1))
        .inSequence()
        .with(
            "betas", BOTH, p -> RAdam.builder(p).learningRate(0.01).betas(0.8, 0.95).epsilon(1e-3))
        .with("weight-decay", BOTH, p -> RAdam.builder(p).learningRate(0.01).weightDecay(0.1))
        .with(
            "decoupled",
            BOTH,
            p ->
                RAdam.builder(p)
                    .learningRate(0.01)
                    .weightDecay(0.1)
                    .decoupledWeightDecay(true)
                    .maximize(true))
        .refuses("beta2 is 1.0", p -> RAdam.builder(p).betas(0.9, 1))
        .refuses("epsilon is -1.0", p -> RAdam.builder(p).epsilon(-1));
  }

  private static OptimizerCases adamax() {
    return new OptimizerCases("adamax", Adamax::builder, moments(2e-3, 0), Decay.L2)
        .with("", BOTH, p -> Adamax.builder(p).learningRate(0.1))
        .inSequence()
        .with(
            "betas",
            BOTH,
            p ->
                Adamax.builder(p).learningRate(0.01).betas(0.8, 0.9).epsilon(1e-3).weightDecay(0.1))
        .with("maximize", BOTH, p -> Adamax.builder(p).learningRate(0.01).maximize(true))
        .refuses("beta1 is -1.0", p -> Adamax.builder(p).betas(-1, 0.9))
        .refuses("epsilon is -1.0", p -> Adamax.builder(p).epsilon(-1));
  }

  private static OptimizerCases lion() {
    return new OptimizerCases(
            "lion",
            Lion::builder,
            Map.of(LEARNING_RATE, 1e-4, BETA1, 0.9, BETA2, 0.99, WEIGHT_DECAY, 0.0),
            Decay.DECOUPLED)
        .with("", FIRST, p -> Lion.builder(p).learningRate(0.1))
        .inSequence()
        .with(
            "betas",
            FIRST,
            p -> Lion.builder(p).learningRate(0.01).betas(0.8, 0.9).weightDecay(0.1).maximize(true))
        .with("weight-decay", FIRST, p -> Lion.builder(p).learningRate(0.1).weightDecay(0.1))
        .with("cautious", FIRST, p -> Lion.builder(p).learningRate(0.01).cautious(true))
        .refuses("beta2 is 1.0", p -> Lion.builder(p).betas(0.9, 1));
  }

  static Map<Hyperparameter, Double> moments(double learningRate, double weightDecay) {
    return Map.of(
        LEARNING_RATE,
        learningRate,
        BETA1,
        0.9,
        BETA2,
        0.999,
        EPSILON,
        1e-8,
        WEIGHT_DECAY,
        weightDecay);
  }
}
