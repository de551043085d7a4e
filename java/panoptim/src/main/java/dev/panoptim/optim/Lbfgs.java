package dev.panoptim.optim;

import dev.panoptim.backend.Backend;
import dev.panoptim.internal.lbfgs.FlatParameters;
import dev.panoptim.internal.lbfgs.LbfgsVectors;
import dev.panoptim.internal.lbfgs.StepTurns;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.vector.VectorOperations;
import dev.panoptim.memory.Parameter;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleSupplier;
import java.util.function.Function;

/// L-BFGS: a quasi-Newton method for deterministic losses. It approximates the inverse Hessian from
/// the last steps and gradient changes, and evaluates the loss several times in each step:
///
/// ```java
/// try (var optimizer = Lbfgs.builder(parameters).strongWolfe(true).build()) {
///   for (int i = 0; i < 20; i++) {
///     double loss = optimizer.step(() -> {
///       optimizer.zeroGrad();
///       return computeLossAndGradients(parameters);
///     });
///   }
/// }
/// ```
///
/// An iteration computes the direction d from the gradient g, the steps s and the gradient changes
/// y of the history by the two loops of Nocedal (1980), beginning with the inverse Hessian `s'y /
/// y'y`. The very first direction is -g, of length `min(1, 1 / sum(|g|)) * learningRate`. A pair s,
/// y is kept if `s'y > 1e-10`. The parameters then move by `learningRate * d`, or with
/// [LbfgsBuilder#strongWolfe] to a point that a line search finds.
///
/// The behaviour is that of PyTorch's `torch.optim.LBFGS`, with three differences. A trial of the
/// line search without a finite loss or gradient counts as infinitely high. A fixed step to such a
/// point is undone and ends the step. An iteration that moves nothing adds no pair to the history.
/// PyTorch's default is a fixed step without a line search, and so is the default here. There is no
/// weight decay, as in PyTorch: add it to the loss and to the gradients.
///
/// All dot products are sums in double, in an order that depends neither on the backend nor on the
/// number of threads, so all backends have the same bits. Parameters must be on the CPU.
///
/// Sources: [Nocedal 1980](https://doi.org/10.1090/S0025-5718-1980-0572855-7), [Liu and Nocedal
/// 1989](https://doi.org/10.1007/BF01589116); PyTorch's `torch.optim.LBFGS`.
///
/// Memory is off-heap and owned by the optimizer: 20 bytes for each element of the parameters, and
/// 8 more for each pair of the history, allocated when the pair is first needed. It counts towards
/// the limit `panoptim.memory.limit`. If the optimizer is never closed, a warning is logged once,
/// and the memory is freed when the optimizer is not reachable any more.
///
/// One thread at a time may step an optimizer and change it. Other threads may at the same time
/// call [#state], [#withState], [#loadState] and [#close], which wait for the running step. Methods
/// throw an [IllegalStateException] once the optimizer has been closed. All of these throw one,
/// too, if the closure of a step or the action of [#withState] calls them; nothing has changed
/// then. Not thread-safe otherwise.
public final class Lbfgs implements AutoCloseable {
  private final Engine engine;
  private final int threads;
  private final FlatParameters parameters;
  private final LbfgsVectors vectors;
  private final LbfgsSteps steps;
  private final LbfgsStates states;
  private final StepTurns turns = new StepTurns();

  Lbfgs(LbfgsBuilder builder) {
    engine = builder.engine();
    threads = builder.threads();
    parameters = new FlatParameters(builder.parameters());
    LbfgsOptions options = builder.options();
    vectors = new LbfgsVectors(parameters.length(), options.historySize());
    try {
      VectorOperations operations = engine.vectorOperations(parameters.length(), threads);
      steps = new LbfgsSteps(options, parameters, vectors, operations);
      states = new LbfgsStates(parameters, vectors, steps, options.historySize());
    } catch (Throwable e) {
      CloseAll.after(e, List.of(vectors::close));
      throw e;
    }
  }

  /// Learning rate 1, at most 20 iterations and 25 evaluations a step, tolerances 1e-7 for the
  /// gradient and 1e-9 for changes, a history of 100 pairs, no line search.
  public static LbfgsBuilder builder(Iterable<Parameter> parameters) {
    return new LbfgsBuilder(parameters);
  }

  /// Makes up to [LbfgsBuilder#maxIterations] iterations.
  ///
  /// The closure sets the gradients to those of the present parameters and returns the loss. It is
  /// called once before the first iteration, then once or more in each one. Parameters without a
  /// gradient count as having the gradient 0. Gradients may lie in other memory at each call. The
  /// closure must not change the parameters, and must not use this optimizer, except for
  /// [#zeroGrad].
  ///
  /// The parameters end at the point of the last iteration. Without a line search, the last
  /// iteration of a step moves without an evaluation: the next step evaluates there first. With a
  /// line search, the gradients after a step may be of another trial.
  ///
  /// If the closure throws an exception, or the step fails otherwise, the exception is passed on.
  /// The parameters are then at the start of the interrupted iteration, a point that was evaluated,
  /// and the history is as it was there, so that a later step may continue. Parameters whose arena
  /// has been closed cannot be restored. A loss or gradient that is not finite is no exception: see
  /// [LbfgsReport.End#NOT_FINITE].
  ///
  /// @return the loss of the first evaluation, from before the update
  /// @throws IllegalStateException if the arena of a parameter or gradient has been closed, or
  ///   another thread is stepping this optimizer
  /// @throws IllegalArgumentException if a gradient has another size or is impossible
  /// @throws WrongThreadException if the arena of a parameter or gradient is confined to another
  ///   thread
  /// @throws OutOfMemoryError if the history would exceed the limit of memory
  public double step(DoubleSupplier closure) {
    Objects.requireNonNull(closure, "closure is null");
    return turns.step(() -> steps.make(closure));
  }

  /// What the last step did.
  public LbfgsReport report() {
    return steps.report();
  }

  /// The learning rate of the next step.
  public double learningRate() {
    return steps.learningRate;
  }

  /// Changes the learning rate, from the next step on.
  ///
  /// @param value as for [LbfgsBuilder#learningRate]
  /// @throws IllegalArgumentException if it is out of range
  public void setLearningRate(double value) {
    LbfgsOptions.requireFinite("learningRate", value);
    turns.between(
        "be changed",
        () -> {
          steps.learningRate = value;
          return null;
        });
  }

  /// The parameters, in the order of the state's vectors.
  public List<Parameter> parameters() {
    return parameters.list();
  }

  public Backend backend() {
    return engine;
  }

  /// The most threads of an operation, including the calling one.
  public int threads() {
    return threads;
  }

  /// Sets all gradients to 0. May be called by the closure of a step.
  ///
  /// @throws IllegalStateException if the arena of a gradient has been closed
  /// @throws IllegalArgumentException if a gradient is read-only; none has been changed then
  public void zeroGrad() {
    turns.requireOpen();
    for (Parameter each : parameters.list()) {
      each.updateGradient();
      if (each.hasGradient()) {
        Segments.requireWritable("gradient of '" + each.name() + "'", each.gradient());
        Segments.requireAlive("gradient of '" + each.name() + "'", each.gradient());
      }
    }
    for (Parameter each : parameters.list()) {
      if (each.hasGradient()) {
        each.gradient().fill((byte) 0);
      }
    }
  }

  /// A copy of the state, which later steps do not change.
  ///
  /// @throws OutOfMemoryError if the copy would exceed the limit of memory
  public LbfgsState state() {
    return turns.between("be read", states::snapshot);
  }

  /// Runs an action on the state itself, without a copy; no step can run at the same time.
  ///
  /// @param action gets a state whose vectors are live, read-only and valid until the action
  ///   returns
  /// @return the result of the action; its exceptions are passed on
  public <T> T withState(Function<LbfgsState, T> action) {
    Objects.requireNonNull(action, "action is null");
    return turns.between("be read", () -> action.apply(states.live()));
  }

  /// Continues from a state. The parameters' data are not part of it. Options, backend and threads
  /// may differ from those of the saved optimizer.
  ///
  /// @throws IllegalArgumentException if names, their order, shapes or sizes differ, or the history
  ///   is longer than [LbfgsBuilder#historySize]; the message lists all differences. Also if a
  ///   vector lies in this optimizer's memory. Nothing has changed
  /// @throws IllegalStateException if the arena of a vector has been closed; nothing has changed
  /// @throws WrongThreadException if it is confined to another thread; nothing has changed
  /// @throws OutOfMemoryError if the history would exceed the limit of memory; nothing has changed
  public void loadState(LbfgsState state) {
    Objects.requireNonNull(state, "state is null");
    turns.between(
        "be changed",
        () -> {
          states.load(state);
          return null;
        });
  }

  /// All reasons why [#loadState] would reject a state, a sentence for each; empty if it fits.
  /// Changes nothing.
  public List<String> differences(LbfgsState state) {
    Objects.requireNonNull(state, "state is null");
    turns.requireOpen();
    return List.copyOf(states.differences(state));
  }

  /// Frees the memory, after a running step. Parameters and gradients stay unchanged. Any thread
  /// may call it. Closing twice has no effect.
  @Override
  public void close() {
    turns.close(vectors::close);
  }

  @Override
  public String toString() {
    return "Lbfgs[%s parameters, backend %s]".formatted(parameters.list().size(), engine.name());
  }
}
