package dev.panoptim.optim;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Threading;
import dev.panoptim.device.Device;
import dev.panoptim.internal.parallel.ThreadProperties;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.MemoryFormat;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameters;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;

/// The options of an optimizer as a whole, whatever the rules of its groups are.
///
/// Not thread-safe: for one thread, which may differ from the thread that steps later. A builder
/// may build several optimizers. Subclasses exist only in this package: constructors are
/// package-private.
///
/// @param <B> the type of the builder itself
public abstract class CommonOptions<B extends CommonOptions<B>> {
  private Backend backend;
  private Threading threading;
  int threads = Math.min(Runtime.getRuntime().availableProcessors(), Backend.MOST_THREADS);

  /// `null` if states are not shared with other processes.
  Path stateFile;

  /// NaN if parameters are not averaged.
  double averageDecay = Double.NaN;

  private HalfPrecision halfPrecision;

  /// `null` if nothing is published.
  PublicationOptions publication;

  final StepOptions options = new StepOptions();

  /// The names of the options that have been called.
  private final Set<String> given = new LinkedHashSet<>();

  CommonOptions() {}

  /// This builder with its own type: [B] is always the class of `this`.
  @SuppressWarnings("unchecked")
  final B self() {
    return (B) this;
  }

  private B given(String option) {
    given.add(option);
    return self();
  }

  /// The groups of an optimizer; new objects at each call.
  abstract List<ParameterGroup> groups();

  /// The values of groups that [Optimizer#addParamGroup(Iterable, java.util.Map)] adds; `null` if
  /// there is no rule for them.
  abstract Hyperparameters defaults();

  /// Changes the options of steps:
  ///
  /// ```java
  /// builder.options(o -> o.clipGradNorm(1).skipNonFinite(true).zeroGrad(true))
  /// ```
  public final B options(Consumer<StepOptions> changes) {
    changes.accept(options);
    return given("options");
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
    return given("averageParameters");
  }

  /// Writes a 16-bit copy of the parameters at each step; see [Optimizer#halfPrecisionCopy].
  public final B halfPrecisionCopy(HalfPrecision type) {
    halfPrecision = Objects.requireNonNull(type, "type is null");
    return given("halfPrecisionCopy");
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
    return given("publish");
  }

  /// @param value the largest number of threads of a step, including the calling one; by default
  ///   the number of processors that this process may use
  /// @throws IllegalArgumentException if it is not from 1 to [Backend#MOST_THREADS]
  public final B threads(int value) {
    threads = ThreadProperties.requireThreads(value);
    return given("threads");
  }

  /// The threads that help with steps; overrides the backend's choice.
  ///
  /// @param value the preferred threads. The backend may support only the pool, and OpenMP may be
  ///   unavailable: see [Threading]. [Optimizer#threading()] returns the result
  public final B threading(Threading value) {
    threading = Objects.requireNonNull(value, "threading is null");
    return given("threading");
  }

  /// @param value a backend for the device of the parameters; by default [Backends#of] that device
  public final B backend(Backend value) {
    backend = Objects.requireNonNull(value, "backend is null");
    return given("backend");
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
    return given("sharedStates");
  }

  /// @throws IllegalArgumentException if a group is empty, a parameter or its name is given twice,
  ///   the data of two parameters overlap, or a parameter is not on the backend's device. Also if
  ///   the rule of a group needs a backend of the cpu or parameters of two dimensions. Also if a
  ///   parameter to publish does not belong to the optimizer, or averages are to be published but
  ///   not kept. Also if a hyperparameter does not belong to the preset or is out of range, or if
  ///   the value of `panoptim.threads`, `panoptim.threading` or `panoptim.watch` is not allowed
  /// @throws IllegalStateException if a [GroupsBuilder] has no group
  public final Optimizer build() {
    ThreadProperties.requireValid();
    if (publication != null && publication.averages() && Double.isNaN(averageDecay)) {
      throw new IllegalArgumentException(
          "averages are to be published, but averageParameters() has not been called");
    }
    return new Optimizer(this);
  }

  /// The engine of the chosen backend, with the chosen threads.
  ///
  /// @param device the device of the parameters, if no backend is chosen
  final Engine engine(Device device) {
    Backend chosen = backend == null ? Backends.of(device) : backend;
    return Engine.of(threading == null ? chosen : chosen.with(threading));
  }

  final MemoryFormat format(Engine engine) {
    if (stateFile != null && !engine.device().isCpu()) {
      throw new IllegalArgumentException(
          "states in a file are for the cpu, but the backend is " + engine.name());
    }
    return new MemoryFormat(
        engine.device(), engine.stateDevice(), !Double.isNaN(averageDecay), halfPrecision);
  }

  /// Checks that this builder can describe a group of a larger optimizer.
  ///
  /// @throws IllegalArgumentException if it has options of an optimizer as a whole
  final void requireGroupAlone() {
    if (!given.isEmpty()) {
      throw new IllegalArgumentException(
          "a group has the options %s, but these concern the whole optimizer: set them there"
              .formatted(given));
    }
  }
}
