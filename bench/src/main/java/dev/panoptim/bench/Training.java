package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;

/// One parameter after its first step, with gradients that stay the same.
///
/// With constant gradients moments settle at the gradient and its square, and none vanishes or
/// becomes denormal, however long a benchmark runs.
final class Training implements AutoCloseable {
  private final Parameters parameters;
  final Optimizer optimizer;
  final Parameter parameter;

  Training(Contender contender, int elements, String backend, int threads) {
    parameters = start(elements);
    parameter = parameters.get("p");
    optimizer =
        contender.builder(parameters).backend(Backends.named(backend)).threads(threads).build();
    optimizer.step();
  }

  /// What each training of so many elements starts from.
  static Parameters start(int elements) {
    Parameters start = Parameters.builder().add("p", elements).build();
    Parameter p = start.get("p");
    SplittableRandom random = new SplittableRandom(1);
    for (long i = 0; i < elements; i++) {
      p.data().setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
      p.gradient().setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(0.001, 0.01));
    }
    return start;
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
