package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/// One parameter under AdamW, after its first step, with gradients that stay the same.
///
/// With constant gradients the moments settle at the gradient and its square, and parameters near
/// its decay's balance: neither grows, vanishes nor becomes denormal, however long a benchmark
/// runs.
final class Training implements AutoCloseable {
  private final Parameters parameters;
  final Optimizer optimizer;
  final Parameter parameter;

  Training(int elements, String backend, int threads) {
    parameters = Parameters.builder().add("p", elements).build();
    parameter = parameters.get("p");
    SplittableRandom random = new SplittableRandom(1);
    for (long i = 0; i < elements; i++) {
      parameter.data().setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
      parameter.gradient().setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(0.001, 0.01));
    }
    optimizer = AdamW.builder(parameters).backend(Backends.named(backend)).threads(threads).build();
    optimizer.step();
  }

  MemorySegment state(String name) {
    return optimizer.state(parameter).get(name);
  }

  @Override
  public void close() {
    optimizer.close();
    parameters.close();
  }
}
