package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Programs of the tests in a process of their own, for what can be tried once in a process, or
/// with other options than this one's.
public final class JavaProcess {
  private JavaProcess() {}

  /// One that is yet to be started.
  ///
  /// @param options of the Java virtual machine
  public static ProcessBuilder of(Class<?> program, List<String> options, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(options);
    command.addAll(List.of("-cp", "target/classes:target/test-classes", program.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }

  /// Runs one to its end, which must be a good one.
  ///
  /// @return what it printed, errors included
  public static String run(Class<?> program, List<String> options, String... arguments)
      throws IOException, InterruptedException {
    return run(of(program, options, arguments));
  }

  /// Runs one to its end, which must be a good one.
  ///
  /// @return what it printed, errors included
  public static String run(ProcessBuilder program) throws IOException, InterruptedException {
    Process process = program.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), output);
    return output;
  }
}
