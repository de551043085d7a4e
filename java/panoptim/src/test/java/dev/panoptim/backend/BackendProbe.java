package dev.panoptim.backend;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import java.lang.foreign.ValueLayout;

/// The program that [LoadingTest] runs in a separate process. It steps with a named backend and
/// prints its description.
final class BackendProbe {
  private BackendProbe() {}

  public static void main(String[] arguments) {
    try (Parameters parameters = Parameters.builder().add("p", 3).build()) {
      Backend backend = Backends.named(arguments[0]);
      parameters.get("p").gradient().setAtIndex(ValueLayout.JAVA_FLOAT, 0, 1);
      try (var optimizer = AdamW.builder(parameters).backend(backend).build()) {
        optimizer.step();
      }
      // The second call must not log again.
      Backends.named(arguments[0]);
      System.out.printf("RAN %s: %s%n", backend.name(), backend.describe());
    } catch (BackendUnavailableException | IllegalArgumentException e) {
      System.out.printf("REFUSED %s%n", e.getMessage());
    }
  }
}
