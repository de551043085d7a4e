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

/// The common options of all presets.
///
/// Not thread-safe: for one thread, which may differ from the thread that steps later. A builder
/// may build several optimizers. Subclasses exist only in this package: constructors are
/// package-private.
///
/// @param <B> the preset's own builder
public abstract class OptimizerBuilder<B extends OptimizerBuilder<B>> {
  /// A group whose overrides are not yet checked; [#build()] checks them.
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

  /// This builder with the preset's type: [B] is always the class of `this`.
  @SuppressWarnings("unchecked")
  final B self() {
    return (B) this;
  }

  /// The preset's composition, without [#maximize].
  abstract Rule composition();

  /// The optimizer's composition.
  final Rule rule() {
    return maximize ? composition().maximizing() : composition();
  }

  /// Adds a group of parameters that differs from the others in some hyperparameters.
  ///
  /// @param overrides values of this group, such as `Map.of(Hyperparameter.WEIGHT_DECAY, 0.0)`
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

  /// Whether to maximize the loss.
  public final B maximize(boolean value) {
    maximize = value;
    return self();
  }

  /// Changes the options of steps:
  ///
  /// ```java
  /// builder.options(o -> o.clipGradNorm(1).skipNonFinite(true).zeroGrad(true))
  /// ```
  public final B options(Consumer<StepOptions> changes) {
    changes.accept(options);
    return self();
  }

  /// Keeps an exponential moving average of the parameters, `average = decay * average + (1 -
  /// decay) * w` after each step, starting with the first step's result; see [Optimizer#average].
  /// The average is part of the state dict.
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

  /// Writes a 16-bit copy of the parameters at each step; see [Optimizer#halfPrecisionCopy].
  public final B halfPrecisionCopy(HalfPrecision type) {
    halfPrecision = Objects.requireNonNull(type, "type is null");
    return self();
  }

  /// Publishes consistent copies of all parameters at each step, for other threads; see
  /// [Publication].
  public final B publish() {
    return publish(options -> {});
  }

  /// Publishes consistent copies of parameters, for other threads; see [Publication].
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

  /// @param value the largest number of threads of a step, including the calling one; by default
  ///   the number of processors that this process may use
  /// @throws IllegalArgumentException if it is not from 1 to [Backend#MOST_THREADS]
  public final B threads(int value) {
    threads = ThreadProperties.requireThreads(value);
    return self();
  }

  /// The threads that help with steps; overrides the backend's choice.
  ///
  /// @param value the preferred threads. The backend may support only the pool, and OpenMP may be
  ///   unavailable: see [Threading]. [Optimizer#threading()] returns the result
  public final B threading(Threading value) {
    threading = Objects.requireNonNull(value, "threading is null");
    return self();
  }

  /// @param value a backend for the device of the parameters; by default [Backends#of] that device
  public final B backend(Backend value) {
    backend = Objects.requireNonNull(value, "backend is null");
    return self();
  }

  /// Keeps states and step counts in a file that several processes map (PyTorch: `share_memory`).
  /// If the parameters are shared too ([Parameters.Builder#buildShared]), each process steps with
  /// separate gradients and sees the updates of the others, without a lock (Hogwild: Niu, Recht, Re
  /// and Wright 2011).
  ///
  /// If the file does not exist or is empty, it is created with initial states; it is never
  /// deleted. Simultaneous steps overwrite parts of each other, so results depend on timing. Groups
  /// cannot be added later. Each process has separate hyperparameters, and an initial accumulator
  /// has an effect only when the file is created. [Optimizer#loadStateDict] sets states and counts
  /// for all processes.
  ///
  /// [#build()] throws an [IllegalArgumentException] if the file has other contents, or states of
  /// another rule or of other parameters, and an [UncheckedIOException] if it cannot be opened,
  /// written or mapped.
  public final B sharedStates(Path file) {
    stateFile = Objects.requireNonNull(file, "file is null");
    return self();
  }

  /// @throws IllegalArgumentException if a group is empty, a parameter or its name is given twice,
  ///   the data of two parameters overlap, or a parameter is not on the backend's device. Also if a
  ///   parameter to publish does not belong to the optimizer, or averages are to be published but
  ///   not kept. Also if a hyperparameter does not belong to the preset or is out of range, or if
  ///   the value of `panoptim.threads`, `panoptim.threading` or `panoptim.watch` is not allowed
  public final Optimizer build() {
    ThreadProperties.requireValid();
    if (publication != null && publication.averages() && Double.isNaN(averageDecay)) {
      throw new IllegalArgumentException(
          "averages are to be published, but averageParameters() has not been called");
    }
    return new Optimizer(this);
  }

  /// The initial hyperparameters of groups.
  final Hyperparameters defaults(Rule rule) {
    if (values.getOrDefault(Hyperparameter.WEIGHT_DECAY, 0.0) != 0
        && !rule.hyperparameters().contains(Hyperparameter.WEIGHT_DECAY)) {
      throw new IllegalArgumentException(
          "weightDecay is %s, but this optimizer has no weight decay"
              .formatted(values.get(Hyperparameter.WEIGHT_DECAY)));
    }
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

  /// The device of the first parameter; the optimizer rejects parameters on other devices.
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

  /// Sets both or, if one is out of range, neither.
  final B setBetas(double beta1, double beta2) {
    Hyperparameter.BETA2.check(beta2);
    set(Hyperparameter.BETA1, beta1);
    return set(Hyperparameter.BETA2, beta2);
  }

  final double get(Hyperparameter name) {
    return values.get(name);
  }
}
