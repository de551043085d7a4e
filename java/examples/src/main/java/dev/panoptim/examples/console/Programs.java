package dev.panoptim.examples.console;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;

/// Command lines and exit statuses of the programs in this module.
public final class Programs {
  /// Exit status of a program with wrong options or input.
  public static final int USAGE = 2;

  /// Exit status of an interrupted program, as shells report SIGINT.
  public static final int INTERRUPTED = 130;

  private Programs() {}

  /// A command line that reports wrong options, and the given exceptions of the program, in one
  /// line on standard error, with the exit status [#USAGE]. Other exceptions pass through.
  ///
  /// @param program an object with picocli's annotations
  /// @param reported exceptions whose messages are meant for the user; [IllegalArgumentException]
  ///   is one of them in any case
  @SafeVarargs
  public static CommandLine commandLine(
      Callable<Integer> program, Class<? extends Exception>... reported) {
    List<Class<? extends Exception>> all = Arrays.asList(reported);
    return new CommandLine(program)
        .setParameterExceptionHandler(
            (exception, arguments) ->
                refuse(
                    exception.getCommandLine(),
                    exception.getMessage() + " (--help lists the options)"))
        .setExecutionExceptionHandler(
            (exception, commandLine, result) -> {
              if (exception instanceof IllegalArgumentException
                  || all.stream().anyMatch(each -> each.isInstance(exception))) {
                return refuse(commandLine, exception.getMessage());
              }
              throw exception;
            });
  }

  private static int refuse(CommandLine commandLine, String message) {
    commandLine
        .getErr()
        .println(commandLine.getCommandName() + ": " + message.lines().findFirst().orElse(""));
    return USAGE;
  }
}
