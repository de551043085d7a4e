package dev.panoptim.optim;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Threading;
import dev.panoptim.device.Device;
import dev.panoptim.internal.parallel.ThreadProperties;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.RowFormat;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/// What the presets' builders have in common.
///
/// Not thread-safe: for one thread, which need not be the one that steps later. A builder may build
/// several optimizers, one after the other. Only this package has subclasses: constructors are
/// package-private.
///
/// @param <B> the preset's own builder
public abstract class OptimizerBuilder<B extends OptimizerBuilder<B>> {
  /// A group as it was given: [#build()] checks its overrides against the rule.
  private record Group(List<Parameter> parameters, Map<Hyperparameter, Double> overrides) {}

  private final List<Group> groups = new ArrayList<>();
  private final Map<Hyperparameter, Double> values = new EnumMap<>(Hyperparameter.class);
  private Backend backend;
  private Threading threading;
  int threads = Math.min(Runtime.getRuntime().availableProcessors(), Backend.MOST_THREADS);
  private boolean maximize;

  /// `null` if states are not shared with other processes.
  Path stateFile;

  /// NaN if parameters are not averaged.
  double averageDecay = Double.NaN;

  private HalfPrecision halfPrecision;

  /// `null` if nothing is published.
  PublicationOptions publication;

  final StepOptions options = new StepOptions();

  OptimizerBuilder(Iterable<Parameter> parameters) {
    group(parameters, Map.of());
  }

  /// This builder as the preset's own: [B] is always the class of `this`.
  @SuppressWarnings("unchecked")
  final B self() {
    return (B) this;
  }

  /// The preset's composition, but for the direction.
  abstract Rule composition();

  /// The optimizer's composition.
  final Rule rule() {
    return maximize ? composition().maximizing() : composition();
  }

  /// Adds a group of parameters that differs from the others in some hyperparameters.
  ///
  /// @param overrides values of this group alone, such as `Map.of(Hyperparameter.WEIGHT_DECAY,
  ///   0.0)`
  public final B group(Iterable<Parameter> parameters, Map<Hyperparameter, Double> overrides) {
    groups.add(new Group(copy(parameters), Map.copyOf(overrides)));
    return self();
  }

  static List<Parameter> copy(Iterable<Parameter> parameters) {
    List<Parameter> copy = new ArrayList<>();
    parameters.forEach(each -> copy.add(Objects.requireNonNull(each, "a parameter is null")));
    return List.copyOf(copy);
  }

  /// @param value a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not
  public final B learningRate(double value) {
    return set(Hyperparameter.LEARNING_RATE, value);
  }

  /// @param value a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not
  public final B weightDecay(double value) {
    return set(Hyperparameter.WEIGHT_DECAY, value);
  }

  /// Climbs: the loss is to grow.
  public final B maximize(boolean value) {
    maximize = value;
    return self();
  }

  /// Says what steps are to do beside the update:
  ///
  /// ```java
  /// builder.options(o -> o.clipGradNorm(1).skipNonFinite(true).zeroGrad(true))
  /// ```
  public final B options(Consumer<StepOptions> changes) {
    changes.accept(options);
    return self();
  }

  /// Keeps an exponential moving average of the parameters, `average = decay * average + (1 -
  /// decay) * w` after each step, from the first step's result on; see [Optimizer#average]. It is
  /// part of the state dict.
  ///
  /// @param decay from 0 to 1 exclusively
  /// @throws IllegalArgumentException if it is out of range
  public final B averageParameters(double decay) {
    if (!(decay >= 0 && decay < 1)) {
      throw new IllegalArgumentException(
          "decay is " + decay + ", but must be a number from 0 to 1 exclusively");
    }
    averageDecay = decay;
    return self();
  }

  /// Writes the parameters in 16 bits too, at each step; see [Optimizer#halfPrecisionCopy].
  public final B halfPrecisionCopy(HalfPrecision type) {
    halfPrecision = Objects.requireNonNull(type, "type is null");
    return self();
  }

  /// Publishes whole copies of all parameters at each step, for other threads to read; see
  /// [Publication].
  public final B publish() {
    return publish(options -> {});
  }

  /// Publishes whole copies of parameters, for other threads to read; see [Publication].
  ///
  /// ```java
  /// builder.publish(p -> p.every(10).halfPrecision(HalfPrecision.BFLOAT16))
  /// ```
  public final B publish(Consumer<PublicationOptions> changes) {
    PublicationOptions chosen = new PublicationOptions();
    changes.accept(chosen);
    publication = chosen;
    return self();
  }

  /// @param value at most so many threads work at a step, the calling one among them; by default as
  ///   many as the processors that this process may use
  /// @throws IllegalArgumentException if it is not from 1 to [Backend#MOST_THREADS]
  public final B threads(int value) {
    threads = ThreadProperties.requireThreads(value);
    return self();
  }

  /// Whose threads help with steps, whatever the backend was made with.
  ///
  /// @param value what is wanted: the backend may have no choice, and OpenMP may be unavailable;
  ///   see [Threading], and [Optimizer#threading()] for what became of it
  public final B threading(Threading value) {
    threading = Objects.requireNonNull(value, "threading is null");
    return self();
  }

  /// @param value must work where the parameters lie; by default the one for their device, see
  ///   [Backends#of]
  public final B backend(Backend value) {
    backend = Objects.requireNonNull(value, "backend is null");
    return self();
  }

  /// States and step counts are to lie in a file that several processes map: what PyTorch calls
  /// `share_memory`. With parameters that are shared too ([Parameters.Builder#buildShared]), each
  /// process steps by gradients of its own and sees what the others learnt, without a lock
  /// (Hogwild: Niu, Recht, Re and Wright 2011).
  ///
  /// The file is created, with states that start anew, where it does not exist or is empty; and it
  /// stays. Steps that are made at the same time overwrite parts of each other: results then depend
  /// on the moment. Groups cannot be added later. Hyperparameters remain each process's own, and an
  /// initial accumulator counts only where the file is created; [Optimizer#loadStateDict] sets
  /// states and counts for all processes.
  ///
  /// [#build()] throws an [IllegalArgumentException] if the file holds anything else, or states of
  /// another rule or of other parameters, and an [UncheckedIOException] if it cannot be opened,
  /// written or mapped.
  public final B sharedStates(Path file) {
    stateFile = Objects.requireNonNull(file, "file is null");
    return self();
  }

  /// @throws IllegalArgumentException if a group is empty, a parameter or its name is given twice,
  ///   the data of two parameters overlap, a parameter is not where the backend works, what is to
  ///   be published is no parameter of the optimizer or an average that is not kept, or a
  ///   hyperparameter does not belong to the preset or is out of range, or as what
  ///   `panoptim.threads`, `panoptim.threading` and `panoptim.watch` allow
  public final Optimizer build() {
    ThreadProperties.requireValid();
    if (publication != null && publication.averages() && Double.isNaN(averageDecay)) {
      throw new IllegalArgumentException(
          "averages are to be published, but averageParameters() has not been called");
    }
    return new Optimizer(this);
  }

  /// The hyperparameters that groups start from.
  final Hyperparameters defaults(Rule rule) {
    Map<Hyperparameter, Double> open = new EnumMap<>(values);
    open.keySet().retainAll(rule.hyperparameters());
    return new Hyperparameters(rule, open);
  }

  final List<ParameterGroup> groups(Hyperparameters defaults) {
    return groups.stream()
        .map(each -> new ParameterGroup(each.parameters(), defaults.with(each.overrides())))
        .toList();
  }

  /// The engine of the chosen backend, with the chosen threads.
  final Engine engine() {
    Backend chosen = backend == null ? Backends.of(device()) : backend;
    return Engine.of(threading == null ? chosen : chosen.with(threading));
  }

  final RowFormat format(Rule rule, Engine engine) {
    if (stateFile != null && !engine.device().isCpu()) {
      throw new IllegalArgumentException(
          "states in a file are for the cpu, but the backend is " + engine.name());
    }
    return new RowFormat(
        rule, engine.device(), engine.stateDevice(), !Double.isNaN(averageDecay), halfPrecision);
  }

  /// That of the first parameter: the optimizer will refuse any other.
  private Device device() {
    return groups.stream()
        .flatMap(each -> each.parameters().stream())
        .findFirst()
        .map(Parameter::device)
        .orElse(Device.cpu());
  }

  final B set(Hyperparameter name, double value) {
    values.put(name, name.check(value));
    return self();
  }

  /// Both or, if one is out of range, neither.
  final B setBetas(double beta1, double beta2) {
    Hyperparameter.BETA2.check(beta2);
    set(Hyperparameter.BETA1, beta1);
    return set(Hyperparameter.BETA2, beta2);
  }

  final double get(Hyperparameter name) {
    return values.get(name);
  }
}
