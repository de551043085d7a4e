package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.Parameters;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/// A process that maps shared parameters and initializes them slowly.
final class SharedFileProbe {
  private SharedFileProbe() {}

  public static void main(String[] arguments) {
    AtomicBoolean created = new AtomicBoolean();
    try (Parameters parameters =
        Parameters.builder()
            .add("p", 1)
            .buildShared(
                Path.of(arguments[0]),
                fresh -> {
                  created.set(true);
                  try {
                    Thread.sleep(1500);
                  } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                  fresh.get("p").data().setAtIndex(JAVA_FLOAT, 0, 42);
                })) {
      System.out.println(
          (created.get() ? "created, " : "joined, ")
              + parameters.get("p").data().getAtIndex(JAVA_FLOAT, 0));
    }
  }
}
