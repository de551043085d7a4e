package dev.panoptim.optim;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Threading;
import dev.panoptim.device.CudaException;
import dev.panoptim.internal.step.ExclusiveUse.Purpose;
import dev.panoptim.internal.step.Hooks;
import dev.panoptim.internal.step.StepExecutor;
import dev.panoptim.internal.step.Turns;
import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Function;

/// Updates parameters from their gradients, by a [Rule]. Made by a named preset such as [AdamW]:
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
/// Parameters without a gradient are skipped: they keep their value, get no state and count no
/// step. States lie off-heap, are allocated when a parameter first has a gradient, and belong to
/// the optimizer until it is closed. If it is never closed, a warning is logged once, and the
/// states are freed when neither the optimizer nor a segment of them is reachable. States count
/// towards the limit `panoptim.memory.limit`: a step that would exceed it throws an
/// [OutOfMemoryError], and nothing has changed.
///
/// On a GPU, a step returns once its work is enqueued. [#await] waits until it is done, and so do
/// the methods that need its result. All of them throw a [CudaException] if CUDA refuses, or if
/// earlier work of the GPU has failed; data and states there are then as that work left them.
///
/// One thread at a time may step an optimizer and change it: groups, gradients, options,
/// hyperparameters, [#zeroGrad]. Any other thread may meanwhile call [#stateDict],
/// [#withStateDict], [#differences], [#await], [#loadStateDict] and [#close], and so save a
/// checkpoint. It waits for the running step, and the next step waits for it, in the order of the
/// calls. Whatever the other methods return is live, as is the memory of parameters, gradients and
/// states: beside a step it may be read half old, half new. [Publication] gives whole parameters to
/// any number of threads without any waiting.
///
/// Methods that use states or gradients throw an [IllegalStateException] once the optimizer has
/// been closed. Methods that step, change, load or close it also throw one if a hook of the
/// optimizer, or the action of [#withStateDict], calls them. Nothing has changed then.
///
/// Different optimizers may step at the same time if they share no memory; to share it on purpose,
/// see [OptimizerBuilder#sharedStates]. Not thread-safe otherwise.
public final class Optimizer implements AutoCloseable {
  private final OptimizerParts parts;

  private final Turns turns;
  private final StepExecutor executor;
  private final Hooks<Optimizer> preHooks = new Hooks<>();
  private final Hooks<Optimizer> postHooks = new Hooks<>();

  Optimizer(OptimizerBuilder<?> builder) {
    parts = new OptimizerParts(builder);
    turns = parts.turns;
    executor = parts.executor;
  }

  /// Adds parameters in mid-training: they start at their own first step.
  ///
  /// @param overrides values of this group alone; all others are those of the builder
  /// @throws IllegalArgumentException if the group is empty, a parameter or its name is already
  ///   there, its data overlap another's, or a hyperparameter does not belong to the rule or is out
  ///   of range; nothing has changed then
  /// @throws IllegalStateException if the states are shared: their file has a fixed size
  public void addParamGroup(Iterable<Parameter> parameters, Map<Hyperparameter, Double> overrides) {
    parts.add(parameters, overrides);
  }

  /// Calls something before each step, once the gradients are there.
  ///
  /// A hook may read this optimizer, as [#stateDict], a checkpoint and [#await] do, may change
  /// hyperparameters and options, and may add and remove hooks, from the next step on. It must not
  /// step, load, close or add a group: that throws an [IllegalStateException]. Nor may it wait for
  /// another thread that reads this optimizer, as that thread waits for the step.
  ///
  /// @return removes this hook; calling it again has no effect
  public Runnable addStepPreHook(Consumer<Optimizer> hook) {
    return preHooks.add(hook);
  }

  /// Calls something after each step, a skipped one too; otherwise as [#addStepPreHook].
  ///
  /// @return removes this hook; calling it again has no effect
  public Runnable addStepPostHook(Consumer<Optimizer> hook) {
    return postHooks.add(hook);
  }

  /// An optimizer of a custom composition; see [Rule#builder()].
  public static RuleOptimizerBuilder builder(Rule rule, Iterable<Parameter> parameters) {
    return new RuleOptimizerBuilder(rule, parameters);
  }

  /// The composition that this optimizer applies.
  public Rule rule() {
    return parts.memory.format().rule();
  }

  public Backend backend() {
    return parts.engine;
  }

  /// The most threads of a step, including the calling one.
  public int threads() {
    return parts.threads;
  }

  /// Whose threads help with steps: what the builder asked for if it is available, else the pool.
  public Threading threading() {
    return parts.engine.threading();
  }

  /// What steps do beside the update; may be changed between them.
  public StepOptions options() {
    return parts.options;
  }

  /// What the last step did; the next one writes it anew.
  public StepReport report() {
    return parts.report;
  }

  /// The groups, whose hyperparameters may be changed between steps.
  public List<ParameterGroup> paramGroups() {
    return parts.groups();
  }

  /// Updates every parameter that has a gradient, as [#options] say.
  ///
  /// If this throws one of the exceptions below, nothing has changed; what a hook throws passes
  /// through. But an arena that another thread closes while the step runs may end it between two
  /// groups, and on the JVM backends in the middle of one.
  ///
  /// @return [#report]
  /// @throws IllegalStateException if the arena of a parameter or gradient has been closed, or
  ///   another thread is stepping this optimizer
  /// @throws IllegalArgumentException if data, gradients or states overlap, or a gradient that is
  ///   to be set to 0 is read-only
  /// @throws WrongThreadException if the arena of a parameter or gradient is confined to another
  ///   thread
  public StepReport step() {
    turns.enterStep();
    try {
      turns.requireOpen();
      turns.call(preHooks, this);
      executor.step();
      turns.call(postHooks, this);
      return parts.report;
    } finally {
      turns.leave();
    }
  }

  /// Waits until all steps are done; on the CPU, they are when they return.
  ///
  /// @throws CudaException if something failed on the GPU
  public void await() {
    turns.atRest(Purpose.READ, () -> null);
  }

  /// Lets the closure compute the loss and its gradients, then makes a step.
  ///
  /// @return what the closure returned: the loss from before the update
  /// @throws IllegalStateException as [#step()]; what the closure throws passes through, and
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

  /// Sets all gradients to 0, or leaves the parameters without any.
  ///
  /// @param setToNone whether to remove the gradients: steps skip the parameters until they have
  ///   one again
  /// @throws IllegalStateException as [#zeroGrad()]
  /// @throws IllegalArgumentException as [#zeroGrad()]
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

  /// Hands the states themselves, without a copy, to an action during which no step can run. Of
  /// states on a GPU it is a copy.
  ///
  /// @param action gets a state dict whose segments are live and read-only, and only good until it
  ///   returns; must not use this optimizer
  /// @return what the action returned; what it throws passes through
  public <T> T withStateDict(Function<StateDict, T> action) {
    return turns.atRest(Purpose.READ, () -> action.apply(parts.states.live()));
  }

  /// As [#loadStateDict(StateDict, Map)], if no parameter is renamed.
  public void loadStateDict(StateDict state) {
    loadStateDict(state, Map.of());
  }

  /// Continues from where another optimizer was, of whatever backend, threads and grouping.
  ///
  /// @param renaming from names in the state dict to names here; others keep their name
  /// @throws IllegalArgumentException if rule, names, sizes, states or hyperparameters do not fit,
  ///   or parameters of one group bring different hyperparameters; the message lists all that
  ///   differs. Also if a state says to be where no memory can be, or lies in this optimizer's own
  ///   memory of another state. Nothing has changed
  /// @throws IllegalStateException if the arena of a state, or with
  ///   [OptimizerBuilder#halfPrecisionCopy] the arena of a parameter, has been closed; nothing has
  ///   changed
  /// @throws WrongThreadException if such an arena is confined to another thread; nothing has
  ///   changed
  public void loadStateDict(StateDict state, Map<String, String> renaming) {
    turns.change(() -> parts.states.load(state, renaming));
  }

  /// All that [#loadStateDict(StateDict, Map)] would refuse, a sentence for each; empty if it fits.
  /// Changes nothing.
  public List<String> differences(StateDict state, Map<String, String> renaming) {
    return turns.exclusively(Purpose.READ, () -> parts.states.differences(state, renaming));
  }

  /// Writes all half-precision copies anew, after data have been changed by other than a step. Does
  /// nothing without [OptimizerBuilder#halfPrecisionCopy].
  ///
  /// @throws IllegalStateException if the arena of a parameter has been closed; no copy has changed
  /// @throws WrongThreadException if the arena of a parameter is confined to another thread; no
  ///   copy has changed
  public void refreshHalfPrecisionCopies() {
    turns.change(() -> parts.memory.writeHalfPrecisionCopies(parts.parameters.groups()));
  }

  /// What other threads read while this optimizer learns.
  ///
  /// @throws IllegalStateException if nothing is published; see [OptimizerBuilder#publish]
  public Publication publication() {
    if (parts.publisher == null) {
      throw new IllegalStateException(
          "nothing is published: the builder's publish() has not been called");
    }
    return parts.publisher.publication();
  }

  /// Publishes the parameters as they are, after other than a step has changed their data, or
  /// [#loadStateDict] their step counts, which alone publishes nothing. If readers hold all buffers
  /// this is skipped and counted as skipped, and the next step publishes. Does nothing without
  /// [OptimizerBuilder#publish].
  ///
  /// @throws IllegalStateException if the arena of a parameter has been closed
  public void refreshPublication() {
    turns.change(parts::publishNow);
  }

  /// The running average of a parameter's values after each of its steps, read-only and live.
  ///
  /// @throws IllegalArgumentException if the parameter is not one of this optimizer's
  /// @throws IllegalStateException if parameters are not averaged (see
  ///   [OptimizerBuilder#averageParameters]), or this one has made no step
  public MemorySegment average(Parameter parameter) {
    return parts.views.average(parameter);
  }

  /// Whether steps write half-precision copies; see [#halfPrecisionCopy].
  public boolean hasHalfPrecisionCopies() {
    return parts.views.hasHalfPrecisionCopies();
  }

  /// The copy of a parameter in 16 bits, as the last step or the loading of a state dict left it;
  /// read-only and live, with as many numbers as the parameter has. A state dict is loaded after
  /// the parameter's data.
  ///
  /// @throws IllegalArgumentException if the parameter is not one of this optimizer's
  /// @throws IllegalStateException if there is no copy (see [OptimizerBuilder#halfPrecisionCopy]),
  ///   or the parameter has made no step
  public MemorySegment halfPrecisionCopy(Parameter parameter) {
    return parts.views.halfPrecisionCopy(parameter);
  }

  /// The live states of a parameter by the names of [Rule#stateNames()], and `average` if
  /// parameters are averaged, read-only; on a GPU, their addresses alone; empty before the
  /// parameter has made a step.
  ///
  /// @throws IllegalArgumentException if the parameter is not one of this optimizer's
  public Map<String, MemorySegment> state(Parameter parameter) {
    return parts.views.states(parameter);
  }

  /// The steps at which a parameter had a gradient.
  ///
  /// @throws IllegalArgumentException if the parameter is not one of this optimizer's
  public long stepCount(Parameter parameter) {
    return parts.views.stepCount(parameter);
  }

  /// Frees the states, after another thread's step or reading. Parameters and gradients are left
  /// alone. Any thread may call it, such as a shutdown hook. Closing twice has no effect.
  @Override
  public void close() {
    turns.close(parts::free);
  }

  /// As [#close()], but waits no longer than a timeout.
  ///
  /// @param timeout how long to wait for another thread; 0 or less for not at all
  /// @return whether the optimizer is closed now; `false` if another thread still uses it, which it
  ///   then can go on to do
  public boolean close(Duration timeout) {
    return turns.close(timeout, parts::free);
  }

  @Override
  public String toString() {
    return "Optimizer[%s parameters in %s groups, backend %s]"
        .formatted(parts.parameters.all().size(), parts.groups().size(), parts.engine.name());
  }
}
