package dev.panoptim.examples.bridges.djl;

import dev.panoptim.examples.bridges.ComparisonOptions;
import dev.panoptim.examples.bridges.ComparisonRun;
import dev.panoptim.examples.console.Programs;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Trains digits in DJL, with its own Adam and with Panoptim's, and compares the times.
@Command(
    name = "djl",
    mixinStandardHelpOptions = true,
    description =
        "Trains two perceptrons on digits in DJL, with its own Adam and with Panoptim's in turns.")
public final class DjlComparison implements Callable<Integer> {
  @Mixin private ComparisonOptions options;

  /// Runs the program and ends the process: 0 on success, 2 on wrong options.
  public static void main(String[] arguments) {
    // Read when the engine is loaded: without it, DJL looks for a cloud service to report to.
    System.setProperty("ai.djl.offline", "true");
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return Programs.commandLine(new DjlComparison());
  }

  @Override
  public Integer call() {
    return new ComparisonRun(new DjlLibrary(), options, System.out).run("djl");
  }
}
