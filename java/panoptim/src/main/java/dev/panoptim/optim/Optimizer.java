package dev.panoptim.optim;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Threading;
import dev.panoptim.device.CudaException;
import dev.panoptim.internal.step.ExclusiveUse.Purpose;
import dev.panoptim.internal.step.Turns;
import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Function;

/// Updates parameters from their gradients, by a [Rule] for each group. Built by a preset such as
/// [AdamW], or of several presets by [#builder()]:
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
/// Parameters without a gradient are skipped: their value, states and step count do not change.
/// States are off-heap, are allocated when a parameter first has a gradient, and are owned by the
/// optimizer. If the optimizer is never closed, a warning is logged once, and the states are freed
/// when neither the optimizer nor a segment of them is reachable. States count towards the limit
/// `panoptim.memory.limit`: a step that would exceed it throws an [OutOfMemoryError], and nothing
/// has changed.
///
/// On a GPU, a step returns once its work is enqueued. [#await] and the methods that need its
/// result wait until it is done. All of them throw a [CudaException] if a CUDA call or earlier work
/// of the GPU has failed; data and states on the GPU then contain what that work wrote.
///
/// One thread at a time may step an optimizer and change it: groups, gradients, options,
/// hyperparameters, [#zeroGrad]. Other threads may at the same time call [#stateDict],
/// [#withStateDict], [#differences], [#await], [#loadStateDict] and [#close], and so save a
/// checkpoint. Such a call waits for the running step, and the next step waits for the call, in the
/// order of the calls. The results of all other methods are live, like the memory of parameters,
/// gradients and states: during a step, readers may see a mix of old and new values. A
/// [Publication] gives consistent parameters to any number of threads, without waiting.
///
/// Methods that use states or gradients throw an [IllegalStateException] once the optimizer has
/// been closed. Methods that step, change, load or close it also throw one if a hook of the
/// optimizer, or the action of [#withStateDict], calls them. Nothing has changed then.
///
/// Different optimizers may step at the same time if they share no memory; to share it on purpose,
/// see [CommonOptions#sharedStates]. Not thread-safe otherwise.
public final class Optimizer implements AutoCloseable {
  private final OptimizerParts parts;
  private final Turns turns;
  private final Steps steps;

  Optimizer(CommonOptions<?> builder) {
    parts = new OptimizerParts(builder);
    turns = parts.turns;
    steps = new Steps(this, parts);
  }

  /// Adds parameters during training, under the builder's rule; their step count starts at 0.
  ///
  /// @param overrides values of this group; all other values are the builder's
  /// @throws IllegalArgumentException if the group is empty, a parameter or its name already
  ///   exists, its data overlap those of another one, or a hyperparameter does not belong to the
  ///   rule or is out of range; nothing has changed then
  /// @throws IllegalStateException if the states are shared: their file has a fixed size; or if
  ///   [#builder()] built the optimizer, which has no rule for all groups
  public void addParamGroup(Iterable<Parameter> parameters, Map<Hyperparameter, Double> overrides) {
    parts.add(parameters, overrides);
  }

  /// Adds the groups of a preset during training, with its rule and hyperparameters; otherwise as
  /// [#addParamGroup(Iterable, Map)].
  ///
  /// @throws IllegalArgumentException also if the preset has options of an optimizer as a whole
  /// @throws IllegalStateException if the states are shared: their file has a fixed size
  public void addParamGroup(OptimizerBuilder<?> preset) {
    parts.add(preset);
  }

  /// Adds a hook that runs before each step.
  ///
  /// A hook may read this optimizer, as [#stateDict], a checkpoint and [#await] do, may change
  /// hyperparameters and options, and may add and remove hooks, from the next step on. It must not
  /// step, load, close or add a group: that throws an [IllegalStateException]. It must not wait for
  /// another thread that reads this optimizer: that thread waits for the step.
  ///
  /// @return removes this hook; calling it again has no effect
  public Runnable addStepPreHook(Consumer<Optimizer> hook) {
    return steps.preHooks.add(hook);
  }

  /// Adds a hook that runs after each step, including skipped ones; otherwise as [#addStepPreHook].
  ///
  /// @return removes this hook; calling it again has no effect
  public Runnable addStepPostHook(Consumer<Optimizer> hook) {
    return steps.postHooks.add(hook);
  }

  /// An optimizer of a custom composition; see [Rule#builder()].
  public static RuleOptimizerBuilder builder(Rule rule, Iterable<Parameter> parameters) {
    return new RuleOptimizerBuilder(rule, parameters);
  }

  /// An optimizer whose groups may have different rules.
  public static GroupsBuilder builder() {
    return new GroupsBuilder();
  }

  /// The composition that this optimizer applies to all groups.
  ///
  /// @throws IllegalStateException if the groups have different rules; [ParameterGroup#rule()] is
  ///   then the rule of each
  public Rule rule() {
    return OneRule.of(
        parts.groups().stream().map(ParameterGroup::rule),
        "the optimizer",
        "paramGroups() have the rule of each group");
  }

  public Backend backend() {
    return parts.engine;
  }

  /// The most threads of a step, including the calling one.
  public int threads() {
    return parts.threads;
  }

  /// The threads that help with steps: the builder's choice if it is available, else the pool.
  public Threading threading() {
    return parts.engine.threading();
  }

  /// The options of steps; may be changed between steps.
  public StepOptions options() {
    return parts.options;
  }

  /// The report of the last step; the next step overwrites it.
  public StepReport report() {
    return parts.report;
  }

  /// The groups, whose hyperparameters may be changed between steps.
  public List<ParameterGroup> paramGroups() {
    return parts.groups();
  }

  /// Updates every parameter that has a gradient, as [#options] say.
  ///
  /// If this throws one of the exceptions below, nothing has changed; exceptions of hooks are
  /// passed on. But if another thread closes an arena during the step, the step may end between two
  /// groups. On the JVM backends, and in groups of [Muon] and [Adafactor], it may end within a
  /// group.
  ///
  /// @return [#report]
  /// @throws IllegalStateException if the arena of a parameter or gradient has been closed, another
  ///   thread is stepping this optimizer, or [#isTraining()] is `false`
  /// @throws IllegalArgumentException if data, gradients or states overlap, or a gradient that is
  ///   to be set to 0 is read-only
  /// @throws WrongThreadException if the arena of a parameter or gradient is confined to another
  ///   thread
  public StepReport step() {
    return steps.make(null);
  }

  /// Updates some parameters alone, for callers that get gradients one after the other. The result
  /// has the bits of one step of all parameters. Each parameter has its own step count.
  ///
  /// Otherwise as [#step()]: hooks run, [#options] apply, parameters without a gradient are
  /// skipped, and [StepOptions#zeroGrad] sets the gradients of these parameters to 0. A step of
  /// some parameters publishes nothing; after the last one, [#refreshPublication] does. Gradients
  /// of other parameters may lie in the same memory. The first step with the same parameters in the
  /// same order takes longer than the next ones.
  ///
  /// @return [#report]
  /// @throws IllegalStateException also if [StepOptions#clipGradNorm] or
  ///   [StepOptions#skipNonFinite] is set: both need the gradients of all parameters
  /// @throws IllegalArgumentException also if there is no parameter, one is given twice, one does
  ///   not belong to this optimizer, or a gradient overlaps the data of any parameter
  public StepReport step(Parameter... parameters) {
    return steps.make(Objects.requireNonNull(parameters, "parameters is null"));
  }

  /// Moves the parameters of schedule-free groups to the average of z, for predictions. Until
  /// [#train()], steps throw an [IllegalStateException]. Half-precision copies follow; nothing is
  /// published. Does nothing in this mode, or without such groups.
  ///
  /// @throws IllegalStateException if beta1 of such a group is 0, because the average is then not
  ///   kept; otherwise all as [#refreshHalfPrecisionCopies()]. No parameter has changed
  public void eval() {
    turns.change(parts.evaluation::begin);
  }

  /// Moves the parameters that [#eval()] has moved back, by the present beta1; otherwise like it.
  public void train() {
    turns.change(parts.evaluation::end);
  }

  /// Whether steps are possible: `false` from [#eval()] to [#train()] if a group is schedule-free.
  public boolean isTraining() {
    return !parts.evaluation.isOn();
  }

  /// Updates the Hessian of groups whose rule is that of [Sophia], from the present gradients, and
  /// nothing else: no parameter, no other state or copy, no step count. No hooks run. The options
  /// apply as in a step, but nothing is clipped to a norm or adaptively, and
  /// [StepOptions#skipNonFinite] considers the gradients of these groups only.
  ///
  /// @return [#report], which describes this call until the next step
  /// @throws IllegalStateException if no group has such a rule; otherwise all as [#step()]
  public StepReport updateHessian() {
    return steps.measureCurvature();
  }

  /// Waits until all steps are done; on the CPU, a step is done when it returns.
  ///
  /// @throws CudaException if something failed on the GPU
  public void await() {
    turns.atRest(Purpose.READ, () -> null);
  }

  /// Calls a closure, which computes the loss and its gradients, and then makes a step.
  ///
  /// @return the result of the closure: the loss before the update
  /// @throws IllegalStateException as [#step()]; exceptions of the closure are passed on, and
  ///   nothing is updated
  public double step(DoubleSupplier closure) {
    turns.requireOpen();
    double loss = closure.getAsDouble();
    step();
    return loss;
  }

  /// Sets all gradients to 0.
  ///
  /// @throws IllegalStateException if the arena of a gradient has been closed
  /// @throws IllegalArgumentException if a gradient is read-only; none has been changed then
  public void zeroGrad() {
    turns.zeroGradients();
  }

  /// Sets all gradients to 0, or removes them.
  ///
  /// @param setToNone whether to remove the gradients; steps then skip the parameters until they
  ///   have a gradient again
  /// @throws RuntimeException as [#zeroGrad()]
  public void zeroGrad(boolean setToNone) {
    if (setToNone) {
      turns.requireOpen();
      parts.parameters.all().forEach(each -> each.parameter().removeGradient());
    } else {
      zeroGrad();
    }
  }

  /// A copy of all states, step counts and hyperparameters, which later steps do not change.
  public StateDict stateDict() {
    return turns.atRest(Purpose.READ, parts.states::snapshot);
  }

  /// Runs an action on the states themselves, without a copy; no step can run at the same time.
  /// States on a GPU are copied.
  ///
  /// @param action gets a state dict whose segments are live, read-only and valid until the action
  ///   returns; must not use this optimizer
  /// @return the result of the action; its exceptions are passed on
  public <T> T withStateDict(Function<StateDict, T> action) {
    return turns.atRest(Purpose.READ, () -> action.apply(parts.states.live()));
  }

  /// As [#loadStateDict(StateDict, Map)], if no parameter is renamed.
  public void loadStateDict(StateDict state) {
    loadStateDict(state, Map.of());
  }

  /// Continues from the state of another optimizer; backend, threads and groups may differ.
  ///
  /// @param renaming maps names in the state dict to names here; other names stay the same
  /// @throws IllegalArgumentException if rule, names, sizes, states or hyperparameters do not fit,
  ///   or parameters of one group have different hyperparameters; the message lists all
  ///   differences. Also if the address of a state is impossible, or a state lies in this
  ///   optimizer's memory of another state. Nothing has changed
  /// @throws IllegalStateException if the arena of a state, or with
  ///   [CommonOptions#halfPrecisionCopy] the arena of a parameter, has been closed; nothing has
  ///   changed
  /// @throws WrongThreadException if such an arena is confined to another thread; nothing has
  ///   changed
  public void loadStateDict(StateDict state, Map<String, String> renaming) {
    turns.change(() -> parts.states.load(state, renaming));
  }

  /// All reasons why [#loadStateDict(StateDict, Map)] would reject a state dict, a sentence for
  /// each; empty if it fits. Changes nothing.
  public List<String> differences(StateDict state, Map<String, String> renaming) {
    return turns.exclusively(Purpose.READ, () -> parts.states.differences(state, renaming));
  }

  /// Rewrites all half-precision copies; to be called after other code than a step has changed
  /// data. Does nothing without [CommonOptions#halfPrecisionCopy].
  ///
  /// @throws IllegalStateException if the arena of a parameter has been closed; no copy has changed
  /// @throws WrongThreadException if the arena of a parameter is confined to another thread; no
  ///   copy has changed
  public void refreshHalfPrecisionCopies() {
    turns.change(() -> parts.memory.writeHalfPrecisionCopies(parts.parameters.groups()));
  }

  /// Consistent copies of the parameters for other threads.
  ///
  /// @throws IllegalStateException if nothing is published; see [CommonOptions#publish]
  public Publication publication() {
    if (parts.publisher == null) {
      throw new IllegalStateException(
          "nothing is published: the builder's publish() has not been called");
    }
    return parts.publisher.publication();
  }

  /// Publishes the present parameters. To be called after other code than a step has changed data,
  /// and after [#loadStateDict], which does not publish. If readers hold all buffers, the
  /// publication is skipped and counted as skipped, and the next step publishes. Does nothing
  /// without [CommonOptions#publish].
  ///
  /// @throws IllegalStateException if the arena of a parameter has been closed
  public void refreshPublication() {
    turns.change(parts::publishNow);
  }

  /// The running average of a parameter's values after each of its steps, read-only and live.
  ///
  /// @throws IllegalArgumentException if the parameter does not belong to this optimizer
  /// @throws IllegalStateException if parameters are not averaged (see
  ///   [CommonOptions#averageParameters]), or this one has made no step
  public MemorySegment average(Parameter parameter) {
    return parts.views.average(parameter);
  }

  /// Whether steps write half-precision copies; see [#halfPrecisionCopy].
  public boolean hasHalfPrecisionCopies() {
    return parts.views.hasHalfPrecisionCopies();
  }

  /// The 16-bit copy of a parameter, written by the last step or load of a state dict; read-only
  /// and live, with as many numbers as the parameter. Load the data before a state dict.
  ///
  /// @throws IllegalArgumentException if the parameter does not belong to this optimizer
  /// @throws IllegalStateException if there is no copy (see [CommonOptions#halfPrecisionCopy]), or
  ///   the parameter has made no step
  public MemorySegment halfPrecisionCopy(Parameter parameter) {
    return parts.views.halfPrecisionCopy(parameter);
  }

  /// The live states of a parameter by the names of [Rule#stateNames()], and `average` if
  /// parameters are averaged. Read-only; on a GPU, only the addresses are valid; empty before the
  /// parameter's first step.
  ///
  /// @throws IllegalArgumentException if the parameter does not belong to this optimizer
  public Map<String, MemorySegment> state(Parameter parameter) {
    return parts.views.states(parameter);
  }

  /// The number of steps in which a parameter had a gradient.
  ///
  /// @throws IllegalArgumentException if the parameter does not belong to this optimizer
  public long stepCount(Parameter parameter) {
    return parts.views.stepCount(parameter);
  }

  /// Frees the states, after a running step or read of another thread. Parameters and gradients
  /// stay unchanged. Any thread may call it, such as a shutdown hook. Closing twice has no effect.
  @Override
  public void close() {
    turns.close(parts::free);
  }

  /// Like [#close()], with a timeout.
  ///
  /// @param timeout the longest wait for another thread; with 0 or less there is no wait
  /// @return whether the optimizer is closed now; `false` if another thread still uses it, and may
  ///   continue to do so
  public boolean close(Duration timeout) {
    return turns.close(timeout, parts::free);
  }

  @Override
  public String toString() {
    return "Optimizer[%s parameters in %s groups, backend %s]"
        .formatted(parts.parameters.all().size(), parts.groups().size(), parts.engine.name());
  }
}
