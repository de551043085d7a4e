package dev.panoptim.examples.console;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import picocli.CommandLine;

/// Runs a program in this process and returns its output.
public final class ConsoleRun {
  private ConsoleRun() {}

  /// The program must end with status 0.
  ///
  /// @param program creates the program, which keeps the current standard output
  public static String of(Supplier<CommandLine> program, String... arguments) {
    PrintStream console = System.out;
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
    try {
      assertEquals(0, program.get().execute(arguments), output::toString);
    } finally {
      System.setOut(console);
    }
    return output.toString(StandardCharsets.UTF_8);
  }
}
