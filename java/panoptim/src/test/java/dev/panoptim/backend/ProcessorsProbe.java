package dev.panoptim.backend;

import dev.panoptim.internal.parallel.ThreadProperties;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;

/// The program that [ProcessorsTest] runs with different numbers of processors. It requests eight
/// threads, steps, and prints the number of threads and helpers.
final class ProcessorsProbe {
  private ProcessorsProbe() {}

  public static void main(String[] arguments) {
    try (Parameters parameters = Parameters.builder().add("p", 4_000_000).build();
        var optimizer = AdamW.builder(parameters).threads(8).build()) {
      for (int i = 0; i < 20; i++) {
        optimizer.step();
      }
      long helpers =
          Thread.getAllStackTraces().keySet().stream()
              .filter(each -> each.getName().startsWith("panoptim-"))
              .count();
      System.out.printf(
          "at most %d threads, %d helpers%n", ThreadProperties.mostThreads(), helpers);
    }
  }
}
