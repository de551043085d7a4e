package dev.panoptim.examples.bridges.dl4j;

import dev.panoptim.examples.bridges.ComparisonOptions;
import dev.panoptim.examples.bridges.ComparisonRun;
import dev.panoptim.examples.console.Programs;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Trains digits with Deeplearning4j, once with its own Adam and once with Panoptim's.
@Command(
    name = "dl4j",
    mixinStandardHelpOptions = true,
    description =
        "Trains a classifier of digits with Deeplearning4j, once with its own Adam and once with"
            + " Panoptim's, and compares accuracy and speed.")
public final class Dl4jComparison implements Callable<Integer> {
  @Mixin private ComparisonOptions options;

  private final PrintStream console;

  Dl4jComparison(PrintStream console) {
    this.console = console;
  }

  public static void main(String[] arguments) {
    System.exit(Programs.commandLine(new Dl4jComparison(System.out)).execute(arguments));
  }

  @Override
  public Integer call() {
    return new ComparisonRun(new Dl4jLibrary(), options, console).run("dl4j");
  }
}
