package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.StateDict;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/// Parameters after their first step, with constant gradients.
///
/// With constant gradients the moments converge to the gradient and its square. None vanishes or
/// becomes denormal, however long a benchmark runs.
final class Training implements AutoCloseable {
  private final Parameters parameters;
  final Optimizer optimizer;

  /// The first of the parameters.
  final Parameter parameter;

  Training(BenchedOptimizer kind, int elements, Backend backend, int threads) {
    this(kind, new TensorSizes(1, elements), backend, threads, builder -> {});
  }

  Training(
      BenchedOptimizer kind,
      TensorSizes sizes,
      Backend backend,
      int threads,
      Consumer<OptimizerBuilder<?>> options) {
    parameters = start(sizes);
    parameter = parameters.all().getFirst();
    OptimizerBuilder<?> builder = kind.builder(parameters);
    options.accept(builder);
    optimizer = builder.backend(backend).threads(threads).build();
    optimizer.step();
  }

  /// The initial parameters and gradients. They depend on the total number of elements only, not on
  /// the number of tensors.
  static Parameters start(TensorSizes sizes) {
    Parameters.Builder builder = Parameters.builder();
    for (int i = 0; i < sizes.count(); i++) {
      builder.add("p" + i, sizes.elements());
    }
    Parameters start = builder.build();
    SplittableRandom random = new SplittableRandom(1);
    for (Parameter each : start) {
      for (long i = 0; i < sizes.elements(); i++) {
        each.data().setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        each.gradient().setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(0.001, 0.01));
      }
    }
    return start;
  }

  /// A state dict that sets the step count of all parameters and leaves their states as they are at
  /// the time of loading.
  StateDict stateDictAt(long count) {
    Map<String, Map<String, MemorySegment>> states = new HashMap<>();
    all().forEach(each -> states.put(each.name(), optimizer.state(each)));
    Map<String, StateDict.ParameterState> parameters = new HashMap<>();
    StateDict now = optimizer.stateDict();
    now.parameters()
        .forEach(
            (name, each) ->
                parameters.put(
                    name,
                    new StateDict.ParameterState(
                        each.rule(),
                        each.size(),
                        count,
                        each.scalars(),
                        each.hyperparameters(),
                        states.get(name))));
    return new StateDict(parameters);
  }

  List<Parameter> all() {
    return parameters.all();
  }

  List<MemorySegment> states() {
    return List.copyOf(optimizer.state(parameter).values());
  }

  @Override
  public void close() {
    optimizer.close();
    parameters.close();
  }
}
