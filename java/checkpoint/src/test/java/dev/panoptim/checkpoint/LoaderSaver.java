package dev.panoptim.checkpoint;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.BiFunction;

/// A program that [LoadersTest] loads with several class loaders, each with its own copy of the
/// classes of Panoptim. It saves to a folder a number of times.
///
/// Input and output are types of the JDK, which all class loaders share.
public final class LoaderSaver implements BiFunction<Path, Integer, Integer> {
  /// @return the number of successful saves
  @Override
  public Integer apply(Path folder, Integer times) {
    int saved = 0;
    try (Parameters parameters = Parameters.builder().add("p", 1000).build();
        Optimizer optimizer =
            AdamW.builder(parameters).backend(Backends.scalar()).weightDecay(0.1).build()) {
      optimizer.step();
      CheckpointFolder checkpoints = CheckpointFolder.of(folder, 2);
      for (int i = 0; i < times; i++) {
        // All class loaders save the same step, because a folder rejects a step before its latest
        // one.
        checkpoints.save(Training.of(optimizer), 1, Map.of());
        saved++;
      }
    }
    return saved;
  }
}
