package dev.panoptim.checkpoint;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.BiFunction;

/// What [LoadersTest] loads by several class loaders, with classes of Panoptim of their own: saves
/// into a folder a number of times.
///
/// Its input and output are the JDK's types, which all loaders share.
public final class LoaderSaver implements BiFunction<Path, Integer, Integer> {
  /// @return how many savings succeeded
  @Override
  public Integer apply(Path folder, Integer times) {
    int saved = 0;
    try (Parameters parameters = Parameters.builder().add("p", 1000).build();
        Optimizer optimizer =
            AdamW.builder(parameters).backend(Backends.scalar()).weightDecay(0.1).build()) {
      optimizer.step();
      CheckpointFolder checkpoints = CheckpointFolder.of(folder, 2);
      for (int i = 0; i < times; i++) {
        // Always the same step, as a later one of another loader would refuse it.
        checkpoints.save(Training.of(optimizer), 1, Map.of());
        saved++;
      }
    }
    return saved;
  }
}
