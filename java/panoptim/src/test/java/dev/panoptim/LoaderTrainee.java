package dev.panoptim;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;

/// The program that [LoadersProbe] loads with several class loaders, each with its own copy of
/// Panoptim.
///
/// Input and output are types of the JDK, which all class loaders share.
public final class LoaderTrainee implements BiFunction<String, Object, Object> {
  private static final int SIZE = 1000;
  private static final int STEPS = 50;

  /// @param task `train` on the named backend, or `share` a file that several class loaders create
  ///   at the same time
  /// @return the bits of parameters and states, or the number of files that this program
  ///   initialized
  @Override
  public Object apply(String task, Object argument) {
    return switch (task) {
      case "train" -> train((String) argument);
      case "share" -> share((Path) argument);
      default -> throw new IllegalArgumentException(task);
    };
  }

  private static float[] train(String backend) {
    Backends.auto(); // Logs the chosen backend.
    if (!Backends.named(backend).name().equals(backend)) {
      throw new AssertionError(Backends.named(backend).describe());
    }
    try (Parameters parameters = Parameters.builder().add("p", SIZE).build();
        Optimizer optimizer =
            AdamW.builder(parameters).backend(Backends.named(backend)).weightDecay(0.1).build()) {
      MemorySegment gradient = parameters.get("p").gradient();
      for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < SIZE; i++) {
          gradient.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) Math.scalb(i - 500 + step, -9));
        }
        optimizer.step();
      }
      return parameters.get("p").data().toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private static Integer share(Path file) {
    AtomicInteger created = new AtomicInteger();
    try (Parameters parameters =
        Parameters.builder()
            .add("p", SIZE)
            .buildShared(
                file,
                fresh -> {
                  created.incrementAndGet();
                  fresh.get("p").data().setAtIndex(ValueLayout.JAVA_FLOAT, SIZE - 1, 42);
                })) {
      float last = parameters.get("p").data().getAtIndex(ValueLayout.JAVA_FLOAT, SIZE - 1);
      if (last != 42) {
        throw new AssertionError("the file was not complete: " + last);
      }
    }
    return created.get();
  }
}
