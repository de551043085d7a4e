package dev.panoptim.examples.bridges.javacpp;

import dev.panoptim.examples.bridges.ComparisonOptions;
import dev.panoptim.examples.bridges.ComparisonRun;
import dev.panoptim.examples.console.Programs;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Trains digits with JavaCPP's PyTorch, once with libtorch's AdamW and once with Panoptim's.
@Command(
    name = "javacpp",
    mixinStandardHelpOptions = true,
    description =
        "Trains a classifier of digits with JavaCPP's PyTorch, once with libtorch's AdamW and once"
            + " with Panoptim's, and compares accuracy and speed.")
public final class JavacppComparison implements Callable<Integer> {
  @Mixin private ComparisonOptions options;

  private final PrintStream console;

  JavacppComparison(PrintStream console) {
    this.console = console;
  }

  public static void main(String[] arguments) {
    System.exit(Programs.commandLine(new JavacppComparison(System.out)).execute(arguments));
  }

  @Override
  public Integer call() {
    return new ComparisonRun(new JavacppLibrary(), options, console).run("javacpp");
  }
}
