package dev.panoptim.backend;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;

/// The program that [LoaderThreadsTest] runs in new class loaders. It steps in plain Java with
/// helper threads.
public final class LoadedProgram {
  private LoadedProgram() {}

  /// @param arguments none
  public static void main(String[] arguments) {
    try (Parameters parameters = Parameters.builder().add("p", 400_000).build();
        var optimizer = AdamW.builder(parameters).backend(Backends.scalar()).threads(4).build()) {
      for (int i = 0; i < 3; i++) {
        optimizer.step();
      }
    }
  }
}
