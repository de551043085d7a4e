package dev.panoptim.optim;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Threading;
import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.ExclusiveUse.Purpose;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Supplier;

/// Updates parameters from their gradients, by a rule of the framework. Made by a named preset such
/// as [AdamW]:
///
/// ```java
/// try (var parameters = Parameters.builder().add("weight", 640).add("bias", 10).build();
///     var optimizer = AdamW.builder(parameters).learningRate(1e-3).build()) {
///   computeGradients(parameters);
///   optimizer.step();
///   optimizer.zeroGrad();
/// }
/// ```
///
/// A parameter without a gradient is passed by: it keeps its value, gets no state and counts no
/// step. States lie off-heap, are allocated when a parameter first has a gradient, and belong to
/// the optimizer until it is closed. Whoever forgets to close it is told so by a warning in the
/// log, once, and the states are freed as soon as neither the optimizer nor a segment of them can
/// be reached. States count towards the limit `panoptim.memory.limit`: a step that would exceed it
/// throws an [OutOfMemoryError], and nothing has changed.
///
/// On a GPU, a step returns once the GPU has been told to make it: [#await] waits until it is done,
/// and so do the methods that need to know what became of it. All of them throw a [CudaException]
/// if CUDA refuses, or work that the GPU was given before has failed; data and states there are
/// then as that has left them.
///
/// One thread at a time may step an optimizer and change it: groups, gradients, options,
/// hyperparameters, [#zeroGrad]. Any other thread may meanwhile call [#stateDict],
/// [#withStateDict], [#differences], [#await], [#loadStateDict] and [#close], and so save a
/// checkpoint: it waits for the step that is being made, and the next step waits for it, in the
/// order in which they came. What the other methods return is live, and the memory of parameters,
/// gradients and states is too: beside a step it may be read half old, half new. [Publication]
/// gives whole parameters to any number of threads, which neither wait nor are waited for.
///
/// Different optimizers may step at the same time as long as they have no memory in common; where
/// that is meant, see [OptimizerBuilder#sharedStates]. Not thread-safe otherwise.
public final class Optimizer implements AutoCloseable {
  private final Rule rule;
  private final Engine backend;
  private final int threads;
  private final Hyperparameters defaults;
  private final List<TrackedGroup> groups = new ArrayList<>();

  /// The same for other threads to read: replaced, never written.
  private volatile List<ParameterGroup> paramGroups = List.of();

  private final Hooks preHooks = new Hooks();
  private final Hooks postHooks = new Hooks();
  private final Map<Parameter, TrackedParameter> tracked = new LinkedHashMap<>();
  private final StateMemory memory;
  private final StepOptions options = new StepOptions();
  private final StepExecutor executor;

  /// `null` where nothing is published.
  private final Publisher publisher;

  /// NaN where parameters are not averaged.
  private final double averageDecay;

  /// `null` where there is none.
  private final HalfPrecision halfPrecision;

  /// Whether other processes have a part in the states.
  private final boolean shared;

  private final ExclusiveUse use = new ExclusiveUse();

  private volatile boolean closed;

  /// @param defaults what groups that are added later start from
  /// @param stateFile where the states are shared with other processes, `null` if they are not
  /// @param publication what is published, `null` for nothing
  Optimizer(
      Rule rule,
      Hyperparameters defaults,
      List<ParameterGroup> groups,
      Backend backend,
      int threads,
      Path stateFile,
      StepOptions options,
      double averageDecay,
      HalfPrecision halfPrecision,
      PublicationOptions publication) {
    this.rule = rule;
    this.defaults = defaults;
    this.backend = Engine.of(backend);
    this.threads = threads;
    this.options.set(options);
    this.averageDecay = averageDecay;
    this.halfPrecision = halfPrecision;
    memory =
        new StateMemory(rule, averages(), halfPrecision, backend.device(), backend.stateDevice());
    publisher =
        publication == null
            ? null
            : new Publisher(publication, backend.device(), backend.stateDevice());
    executor =
        new StepExecutor(
            rule,
            this.backend,
            threads,
            memory,
            this.groups,
            this.options,
            publisher,
            averageDecay);
    shared = stateFile != null;
    if (shared && !backend.device().isCpu()) {
      throw new IllegalArgumentException(
          "states in a file are for the cpu, but the backend is " + backend.name());
    }
    try {
      if (publisher != null) {
        // Until the parameters have the values that are published first.
        backend.await();
      }
      add(groups);
      if (shared) {
        memory.share(stateFile, this.groups);
        publishNow();
      }
    } catch (Throwable e) {
      freeMemory(List.of());
      throw e;
    }
    executor.open();
  }

  private void freeMemory(List<TrackedGroup> counted) {
    List<Runnable> parts = new ArrayList<>(List.of(() -> memory.close(counted)));
    if (publisher != null) {
      parts.add(publisher::close);
    }
    CloseAll.all(parts);
  }

  private void publishNow() {
    if (publisher != null) {
      publisher.publishNow();
    }
  }

  /// All of the groups or, if one does not fit, none.
  private void add(List<ParameterGroup> added) {
    List<TrackedGroup> candidates = new ArrayList<>(groups);
    added.forEach(group -> candidates.add(new TrackedGroup(group)));
    Map<String, TrackedParameter> byName = new LinkedHashMap<>();
    for (TrackedGroup group : candidates) {
      if (group.parameters.length == 0) {
        throw new IllegalArgumentException(
            "a parameter group is empty, but must have at least one parameter");
      }
      for (TrackedParameter each : group.parameters) {
        requireDevice(each.parameter);
        TrackedParameter other = byName.put(each.parameter.name(), each);
        if (other != null) {
          String name = other.parameter.name();
          throw new IllegalArgumentException(
              other.parameter == each.parameter
                  ? "parameter '" + name + "' is given twice"
                  : "there are two parameters named '" + name + "', but names must differ");
        }
      }
    }
    TensorChecks.requireDisjoint(
        byName.values().stream()
            .map(each -> each.parameter)
            .map(
                each ->
                    new TensorChecks.Named(
                        "data of '" + each.name() + "'", each.data(), each.size() * Float.BYTES))
            .toList());
    if (publisher != null) {
      publisher.begin(List.copyOf(byName.values()));
    }
    groups.clear();
    groups.addAll(candidates);
    paramGroups = candidates.stream().map(each -> each.group).toList();
    byName.values().forEach(each -> tracked.put(each.parameter, each));
  }

  private void requireDevice(Parameter parameter) {
    if (parameter.device() != backend.device()) {
      throw new IllegalArgumentException(
          "parameter '%s' is on %s, but backend %s works on %s"
              .formatted(parameter.name(), parameter.device(), backend.name(), backend.device()));
    }
  }

  /// Adds parameters in mid-training: they start at their own first step.
  ///
  /// @param overrides values of this group alone; for all others those that the optimizer was built
  ///   with
  /// @throws IllegalArgumentException if the group is empty, a parameter or its name is already
  ///   there, its data overlap another's, or a hyperparameter does not belong to the rule or is out
  ///   of range; nothing has changed then
  /// @throws IllegalStateException if the optimizer has been closed, a hook of it or the action of
  ///   [#withStateDict] calls this, or its states are shared: their file has a fixed size
  public void addParamGroup(Iterable<Parameter> parameters, Map<Hyperparameter, Double> overrides) {
    if (shared) {
      throw new IllegalStateException(
          "a group cannot be added to states that are shared in a file");
    }
    List<Parameter> copy = new ArrayList<>();
    parameters.forEach(each -> copy.add(Objects.requireNonNull(each, "a parameter is null")));
    // At rest, as all parameters may be published anew.
    atRest(
        Purpose.CHANGE,
        () -> {
          add(List.of(new ParameterGroup(copy, defaults.with(overrides))));
          return null;
        });
  }

  /// Calls something before each step, once the gradients are there.
  ///
  /// A hook may read this optimizer, as [#stateDict], a checkpoint and [#await] do, may change
  /// hyperparameters and options, and may add and remove hooks, which takes effect at the next
  /// step. It must not step, load, close or add a group: that throws an [IllegalStateException].
  /// Nor may it wait for another thread that reads this optimizer, as that thread waits for the
  /// step.
  ///
  /// @return removes this hook; does nothing when that has been done
  public Runnable addStepPreHook(Consumer<Optimizer> hook) {
    return preHooks.add(hook);
  }

  /// Calls something after each step, a skipped one too; otherwise as [#addStepPreHook].
  ///
  /// @return removes this hook; does nothing when that has been done
  public Runnable addStepPostHook(Consumer<Optimizer> hook) {
    return postHooks.add(hook);
  }

  private void call(Hooks hooks) {
    use.runsHooks(true);
    try {
      hooks.call(this);
    } finally {
      use.runsHooks(false);
    }
  }

  /// An optimizer of a composition of one's own; see [Rule#builder()].
  public static RuleOptimizerBuilder builder(Rule rule, Iterable<Parameter> parameters) {
    return new RuleOptimizerBuilder(rule, parameters);
  }

  /// The composition that this optimizer applies.
  public Rule rule() {
    return rule;
  }

  public Backend backend() {
    return backend;
  }

  /// The threads that a step takes at most, the calling one among them.
  public int threads() {
    return threads;
  }

  /// Whose threads help with steps: what was asked for where it can be had, else the pool; see
  /// [Threading].
  public Threading threading() {
    return backend.threading();
  }

  /// What steps do beside the update; may be changed between them.
  public StepOptions options() {
    return options;
  }

  /// What the last step did; the next one writes it anew.
  public StepReport report() {
    return executor.report();
  }

  /// The groups, whose hyperparameters may be changed between steps.
  public List<ParameterGroup> paramGroups() {
    return paramGroups;
  }

  /// Updates every parameter that has a gradient, with what [#options] ask for.
  ///
  /// When this throws one of the exceptions below, nothing has changed; what a hook throws passes
  /// through; but an arena that another thread closes while the step runs may end it between two
  /// groups, and on the JVM backends in the middle of one.
  ///
  /// @return [#report]
  /// @throws IllegalStateException if the optimizer, or the arena of a parameter or gradient, has
  ///   been closed; if another thread is stepping this optimizer; or if one of its hooks, or the
  ///   action of [#withStateDict], calls this
  /// @throws IllegalArgumentException if data, gradients or states overlap, or a gradient that is
  ///   to be set to 0 is read-only
  /// @throws WrongThreadException if the arena of a parameter or gradient is confined to another
  ///   thread
  public StepReport step() {
    use.enter(Purpose.STEP);
    try {
      requireOpen();
      call(preHooks);
      executor.step();
      call(postHooks);
      return executor.report();
    } finally {
      use.leave();
    }
  }

  /// Does something while no other thread has the optimizer.
  private <T> T inTurn(Purpose purpose, Supplier<T> action) {
    boolean entered = use.enter(purpose);
    try {
      return action.get();
    } finally {
      if (entered) {
        use.leave();
      }
    }
  }

  /// In turn, of an optimizer that is open.
  private <T> T exclusively(Purpose purpose, Supplier<T> action) {
    return inTurn(
        purpose,
        () -> {
          requireOpen();
          executor.settle();
          return action.get();
        });
  }

  /// Exclusively, once all steps are done.
  private <T> T atRest(Purpose purpose, Supplier<T> action) {
    return exclusively(
        purpose,
        () -> {
          backend.await();
          return action.get();
        });
  }

  /// Waits until all steps are done; on the CPU, they are when they return.
  ///
  /// @throws CudaException if something failed on the GPU
  /// @throws IllegalStateException if the optimizer has been closed
  public void await() {
    atRest(Purpose.READ, () -> null);
  }

  /// Lets the closure compute the loss and its gradients, then updates every parameter that has
  /// one.
  ///
  /// @return what the closure returned: the loss from before the update
  /// @throws IllegalStateException as [#step()]; what the closure throws passes through, and
  ///   nothing is updated
  public double step(DoubleSupplier closure) {
    requireOpen();
    double loss = closure.getAsDouble();
    step();
    return loss;
  }

  /// Sets all gradients to 0.
  ///
  /// @throws IllegalStateException if the optimizer, or the arena of a gradient, has been closed
  /// @throws IllegalArgumentException if a gradient is read-only; none has been changed then
  public void zeroGrad() {
    if (backend.device().isCpu()) {
      zeroGradients();
      return;
    }
    // A GPU's tables, which another thread's loading or closing would free meanwhile, are used.
    inTurn(
        Purpose.READ,
        () -> {
          zeroGradients();
          return null;
        });
  }

  private void zeroGradients() {
    requireOpen();
    for (TrackedParameter each : tracked.values()) {
      if (each.parameter.hasGradient()) {
        String name = "gradient of '" + each.parameter.name() + "'";
        TensorChecks.requireAlive(name, each.parameter.gradient());
        Device.requireWritable(name, each.parameter.gradient());
      }
    }
    if (!backend.device().isCpu() && !executor.gradientsMoved()) {
      // At once: one by one, telling the GPU takes longer than doing it.
      executor.zeroGradients();
      return;
    }
    if (!backend.device().isCpu()) {
      requireGradientsOnDevice();
    }
    for (TrackedParameter each : tracked.values()) {
      if (each.parameter.hasGradient()) {
        backend.zero(each.parameter.gradient(), each.parameter.size() * Float.BYTES);
      }
    }
  }

  /// A framework may have freed one meanwhile: that is found before the first is changed.
  private void requireGradientsOnDevice() {
    for (TrackedParameter each : tracked.values()) {
      Parameter parameter = each.parameter;
      if (parameter.hasGradient()) {
        String name = "gradient of '" + parameter.name() + "'";
        TensorChecks.require(backend.device(), name, parameter.size(), parameter.gradient(), true);
      }
    }
  }

  /// Sets all gradients to 0, or leaves the parameters without any.
  ///
  /// @param setToNone whether the parameters are to be without gradient: steps pass them by until
  ///   they have one again
  /// @throws IllegalStateException as [#zeroGrad()]
  /// @throws IllegalArgumentException as [#zeroGrad()]
  public void zeroGrad(boolean setToNone) {
    if (!setToNone) {
      zeroGrad();
      return;
    }
    requireOpen();
    tracked.keySet().forEach(Parameter::removeGradient);
  }

  /// A copy of all states, step counts and hyperparameters, which later steps do not change.
  ///
  /// @throws IllegalStateException if the optimizer has been closed
  public StateDict stateDict() {
    return atRest(Purpose.READ, () -> memory.snapshot(groups));
  }

  /// Hands the states themselves, without a copy, to an action during which no step can run. Of
  /// those on a GPU it is a copy.
  ///
  /// @param action gets a state dict whose segments are live and read-only, and only good until it
  ///   returns: later steps change them; must not use this optimizer
  /// @return what the action returned; what it throws passes through
  /// @throws IllegalStateException if the optimizer has been closed
  public <T> T withStateDict(Function<StateDict, T> action) {
    return atRest(Purpose.READ, () -> action.apply(memory.live(groups)));
  }

  /// Continues from where another optimizer, of whatever backend, threads and grouping, was.
  ///
  /// @throws IllegalArgumentException as [#loadStateDict(StateDict, Map)]
  /// @throws IllegalStateException as [#loadStateDict(StateDict, Map)]
  /// @throws WrongThreadException as [#loadStateDict(StateDict, Map)]
  public void loadStateDict(StateDict state) {
    loadStateDict(state, Map.of());
  }

  /// Continues from where another optimizer was, whose parameters had other names.
  ///
  /// @param renaming from names in the state dict to names here; what it does not mention keeps its
  ///   name
  /// @throws IllegalArgumentException if rule, names, sizes, states or hyperparameters do not fit,
  ///   or parameters of one group bring different hyperparameters; the message lists all that
  ///   differs. Also if a state says to be where no memory can be, or lies in this optimizer's own
  ///   memory of another state. Nothing has changed
  /// @throws IllegalStateException if the optimizer, the arena of a state, or with
  ///   [OptimizerBuilder#halfPrecisionCopy] that of a parameter has been closed, or a hook of the
  ///   optimizer or the action of [#withStateDict] calls this; nothing has changed
  /// @throws WrongThreadException if such an arena is confined to another thread; nothing has
  ///   changed
  public void loadStateDict(StateDict state, Map<String, String> renaming) {
    atRest(
        Purpose.CHANGE,
        () -> {
          List<String> differences = state.differences(rule, memory.names(), groups, renaming);
          if (!differences.isEmpty()) {
            throw new IllegalArgumentException(
                "the state dict does not fit: " + String.join("; ", differences));
          }
          memory.load(groups, state.renamed(renaming));
          return null;
        });
  }

  /// All that [#loadStateDict(StateDict, Map)] would refuse, a sentence for each; empty if it fits.
  /// Changes nothing.
  ///
  /// @throws IllegalStateException if the optimizer has been closed
  public List<String> differences(StateDict state, Map<String, String> renaming) {
    return exclusively(
        Purpose.READ, () -> state.differences(rule, memory.names(), groups, renaming));
  }

  /// Writes the copies in 16 bits anew, of every parameter that has one, after its data have been
  /// changed by other than a step. Does nothing without [OptimizerBuilder#halfPrecisionCopy].
  ///
  /// @throws IllegalStateException if the optimizer, or the arena of a parameter, has been closed,
  ///   or a hook of the optimizer or the action of [#withStateDict] calls this; no copy has changed
  /// @throws WrongThreadException if the arena of a parameter is confined to another thread; no
  ///   copy has changed
  public void refreshHalfPrecisionCopies() {
    atRest(
        Purpose.CHANGE,
        () -> {
          memory.writeHalfPrecisionCopies(groups);
          return null;
        });
  }

  /// What other threads read while this optimizer learns.
  ///
  /// @throws IllegalStateException if nothing is published; see [OptimizerBuilder#publish]
  public Publication publication() {
    if (publisher == null) {
      throw new IllegalStateException(
          "nothing is published: the builder's publish() has not been called");
    }
    return publisher.publication();
  }

  /// Publishes the parameters as they are, after their data have been changed by other than a step,
  /// or their step counts by [#loadStateDict]: that alone publishes nothing. Skipped, and counted
  /// as skipped, if readers hold all buffers: the next step then publishes. Does nothing without
  /// [OptimizerBuilder#publish].
  ///
  /// @throws IllegalStateException if the optimizer, or the arena of a parameter, has been closed,
  ///   or a hook of the optimizer or the action of [#withStateDict] calls this
  public void refreshPublication() {
    atRest(
        Purpose.CHANGE,
        () -> {
          publishNow();
          return null;
        });
  }

  private boolean averages() {
    return !Double.isNaN(averageDecay);
  }

  /// The running average of a parameter's values after each of its steps, read-only and live.
  ///
  /// @throws IllegalArgumentException if the parameter is not one of this optimizer's
  /// @throws IllegalStateException if parameters are not averaged (see
  ///   [OptimizerBuilder#averageParameters]), this one has made no step, or the optimizer has been
  ///   closed
  public MemorySegment average(Parameter parameter) {
    MemorySegment average = state(parameter).get(StateMemory.AVERAGE);
    if (average == null) {
      throw new IllegalStateException(
          averages() ? parameter + " has made no step" : "parameters are not averaged");
    }
    return average;
  }

  /// Whether steps write copies in 16 bits; see [#halfPrecisionCopy].
  public boolean hasHalfPrecisionCopies() {
    return halfPrecision != null;
  }

  /// The copy of a parameter in 16 bits as the last step left it, or the loading of a state dict,
  /// before which the parameter's data must be back; read-only and live: as many numbers as the
  /// parameter has.
  ///
  /// @throws IllegalArgumentException if the parameter is not one of this optimizer's
  /// @throws IllegalStateException if there is no copy (see [OptimizerBuilder#halfPrecisionCopy]),
  ///   the parameter has made no step, or the optimizer has been closed
  public MemorySegment halfPrecisionCopy(Parameter parameter) {
    requireOpen();
    TrackedParameter found = find(parameter);
    if (halfPrecision == null || found.currentSteps() == 0) {
      throw new IllegalStateException(
          halfPrecision == null
              ? "there are no copies in 16 bits"
              : parameter + " has made no step");
    }
    return found.halfPrecisionCopy.asReadOnly();
  }

  /// The live states of a parameter by the names of [Rule#stateNames()], and `average` if
  /// parameters are averaged, read-only; on a GPU, their addresses alone; empty as long as it never
  /// had a gradient at a step.
  ///
  /// @throws IllegalArgumentException if the parameter is not one of this optimizer's
  public Map<String, MemorySegment> state(Parameter parameter) {
    requireOpen();
    TrackedParameter found = find(parameter);
    Map<String, MemorySegment> states = found.namedStates(memory.names());
    states.replaceAll((name, state) -> state.asReadOnly());
    return states;
  }

  /// The steps at which a parameter had a gradient.
  ///
  /// @throws IllegalArgumentException if the parameter is not one of this optimizer's
  public long stepCount(Parameter parameter) {
    return find(parameter).currentSteps();
  }

  /// Frees the states, after the step or the reading that another thread is at. Does nothing when
  /// that has been done. Parameters and gradients are left alone. Any thread may call it, such as a
  /// shutdown hook.
  ///
  /// @throws IllegalStateException if a hook of this optimizer, or the action of [#withStateDict],
  ///   calls it
  @Override
  public void close() {
    use.enter(Purpose.CLOSE);
    closeAndLeave();
  }

  /// As [#close()], but waits no longer than it is told.
  ///
  /// @param timeout how long to wait for another thread; 0 or less for not at all
  /// @return whether the optimizer is closed now; `false` if another thread still uses it, which it
  ///   then can go on to do
  /// @throws IllegalStateException as [#close()]
  public boolean close(Duration timeout) {
    boolean entered = use.tryEnter(Purpose.CLOSE, TimeUnit.NANOSECONDS.convert(timeout));
    if (entered) {
      closeAndLeave();
    }
    return entered;
  }

  private void closeAndLeave() {
    try {
      if (!closed) {
        closed = true;
        CloseAll.all(List.of(executor::close, () -> freeMemory(groups)));
      } else {
        // What could not be freed before, while another thread's call of native code used it.
        freeMemory(groups);
      }
    } finally {
      use.leave();
    }
  }

  private TrackedParameter find(Parameter parameter) {
    TrackedParameter found = tracked.get(parameter);
    if (found == null) {
      throw new IllegalArgumentException(parameter + " is not a parameter of this optimizer");
    }
    settle();
    return found;
  }

  /// Counts the last step where only a GPU knew whether it was made. That takes a turn, as other
  /// threads may come here beside a step.
  private void settle() {
    if (backend.device().isCpu()) {
      return;
    }
    inTurn(
        Purpose.READ,
        () -> {
          executor.settle();
          return null;
        });
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the optimizer has been closed");
    }
  }

  @Override
  public String toString() {
    return "Optimizer[%s parameters in %s groups, backend %s]"
        .formatted(tracked.size(), groups.size(), backend.name());
  }
}
