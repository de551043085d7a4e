package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Runs programs of the tests in separate Java processes, for effects that happen once per process
/// or need other options.
public final class JavaProcess {
  private JavaProcess() {}

  /// Creates a process that has not been started yet.
  ///
  /// @param options options of the JVM
  public static ProcessBuilder of(Class<?> program, List<String> options, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    if (!Boolean.getBoolean("panoptim.exhaustive")) {
      // Most processes live for a second. Without the optimizing compiler they take a third less
      // processor time, and an eighth less without the threads of the default garbage collector.
      command.add("-XX:TieredStopAtLevel=1");
      command.add("-XX:+UseSerialGC");
    }
    command.addAll(options);
    command.addAll(List.of("-cp", "target/classes:target/test-classes", program.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }

  /// Runs a program to its end, and fails if it does not end successfully.
  ///
  /// @return the output of the program, including errors
  public static String run(Class<?> program, List<String> options, String... arguments)
      throws IOException, InterruptedException {
    return run(of(program, options, arguments));
  }

  /// Runs a program to its end, and fails if it does not end successfully.
  ///
  /// @return the output of the program, including errors
  public static String run(ProcessBuilder program) throws IOException, InterruptedException {
    Process process = program.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), output);
    return output;
  }
}
