package dev.panoptim.optim;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.internal.parallel.ThreadProperties;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.memory.Parameter;
import java.util.List;
import java.util.Objects;

/// The options of [Lbfgs]. The defaults are those of PyTorch's `torch.optim.LBFGS`.
///
/// Not thread-safe: for one thread, which may differ from the thread that steps later. A builder
/// may build several optimizers.
public final class LbfgsBuilder {
  private final List<Parameter> parameters;
  private double learningRate = 1;
  private int maxIterations = 20;

  /// 0 for the default.
  private int maxEvaluations;

  private double toleranceGrad = 1e-7;
  private double toleranceChange = 1e-9;
  private int historySize = 100;
  private boolean strongWolfe;
  private int threads = Math.min(Runtime.getRuntime().availableProcessors(), Backend.MOST_THREADS);
  private Backend backend;

  LbfgsBuilder(Iterable<Parameter> parameters) {
    this.parameters = OptimizerBuilder.copy(parameters);
  }

  /// The step in lengths of the direction. With [#strongWolfe], the search begins there.
  ///
  /// @param value a finite number of 0 or more; by default 1
  /// @throws IllegalArgumentException if it is not
  public LbfgsBuilder learningRate(double value) {
    learningRate = LbfgsOptions.requireFinite("learningRate", value);
    return this;
  }

  /// @param value the most iterations of a step, 1 or more; by default 20
  /// @throws IllegalArgumentException if it is not
  public LbfgsBuilder maxIterations(int value) {
    maxIterations = LbfgsOptions.requirePositive("maxIterations", value);
    return this;
  }

  /// @param value a step ends after the iteration in which this many calls of the closure have been
  ///   made, 1 or more; by default 5/4 of the iterations. One line search makes up to 26 calls
  /// @throws IllegalArgumentException if it is not
  public LbfgsBuilder maxEvaluations(int value) {
    maxEvaluations = LbfgsOptions.requirePositive("maxEvaluations", value);
    return this;
  }

  /// @param value a step ends if no element of the gradient is larger, a finite number of 0 or
  ///   more; by default 1e-7
  /// @throws IllegalArgumentException if it is not
  public LbfgsBuilder toleranceGrad(double value) {
    toleranceGrad = LbfgsOptions.requireFinite("toleranceGrad", value);
    return this;
  }

  /// @param value a step ends if the loss, or all parameters, change by less, a finite number of 0
  ///   or more; by default 1e-9
  /// @throws IllegalArgumentException if it is not
  public LbfgsBuilder toleranceChange(double value) {
    toleranceChange = LbfgsOptions.requireFinite("toleranceChange", value);
    return this;
  }

  /// @param value the most steps and gradient changes to keep, 1 or more; by default 100. Each
  ///   takes 8 bytes for each element of the parameters, allocated when it is first needed
  /// @throws IllegalArgumentException if it is not
  public LbfgsBuilder historySize(int value) {
    historySize = LbfgsOptions.requirePositive("historySize", value);
    return this;
  }

  /// Whether to search along each direction for a point that fulfils the strong Wolfe conditions.
  /// The default is `false`, as in PyTorch: each iteration then takes a step of fixed length, and
  /// the loss may rise. `true` is the better choice unless the closure is stochastic.
  public LbfgsBuilder strongWolfe(boolean value) {
    strongWolfe = value;
    return this;
  }

  /// @param value the largest number of threads of an operation, including the calling one; by
  ///   default the number of processors that this process may use. Helpers are always those of the
  ///   pool, see [dev.panoptim.backend.Threading#POOL]
  /// @throws IllegalArgumentException if it is not from 1 to [Backend#MOST_THREADS]
  public LbfgsBuilder threads(int value) {
    threads = ThreadProperties.requireThreads(value);
    return this;
  }

  /// @param value a backend for the CPU; by default [Backends#auto]. All have the same bits
  public LbfgsBuilder backend(Backend value) {
    backend = Objects.requireNonNull(value, "backend is null");
    return this;
  }

  /// @throws IllegalArgumentException if there is no parameter, a parameter or its name is given
  ///   twice, data overlap, or a parameter or the backend is on a GPU. Also if the value of
  ///   `panoptim.threads`, `panoptim.threading` or `panoptim.watch` is not allowed
  /// @throws OutOfMemoryError if the system has too little memory for five vectors, or they would
  ///   exceed the limit `panoptim.memory.limit`
  public Lbfgs build() {
    ThreadProperties.requireValid();
    return new Lbfgs(this);
  }

  List<Parameter> parameters() {
    return parameters;
  }

  LbfgsOptions options() {
    int evaluations =
        maxEvaluations > 0
            ? maxEvaluations
            : (int) Math.min(maxIterations * 5L / 4, Integer.MAX_VALUE);
    return new LbfgsOptions(
        learningRate,
        maxIterations,
        evaluations,
        toleranceGrad,
        toleranceChange,
        historySize,
        strongWolfe);
  }

  int threads() {
    return threads;
  }

  Engine engine() {
    Backend chosen = backend == null ? Backends.auto() : backend;
    if (!chosen.device().isCpu()) {
      throw new IllegalArgumentException(
          "the backend is %s on %s, but L-BFGS works on the cpu only"
              .formatted(chosen.name(), chosen.device()));
    }
    return Engine.of(chosen);
  }
}
