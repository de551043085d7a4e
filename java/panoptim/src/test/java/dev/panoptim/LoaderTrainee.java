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

/// What [LoadersProbe] loads by several class loaders, with classes of Panoptim of their own.
///
/// Its input and output are the JDK's types, which all loaders share.
public final class LoaderTrainee implements BiFunction<String, Object, Object> {
  private static final int SIZE = 1000;
  private static final int STEPS = 50;

  /// @param task `train` on the backend that is named, or `share` a file, that several create at
  ///   once
  /// @return the bits of parameters and states, or how often this one gave a file its contents
  @Override
  public Object apply(String task, Object argument) {
    return switch (task) {
      case "train" -> train((String) argument);
      case "share" -> share((Path) argument);
      default -> throw new IllegalArgumentException(task);
    };
  }

  private static float[] train(String backend) {
    Backends.auto(); // which logs what it has chosen
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
