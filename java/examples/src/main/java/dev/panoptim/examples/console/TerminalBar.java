package dev.panoptim.examples.console;

import java.io.PrintStream;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// A progress bar for programs that run on a terminal.
public final class TerminalBar {
  private static final int WIDTH = 100;

  private TerminalBar() {}

  /// A new bar; empty if the output is not a terminal.
  ///
  /// @param max the count at which the bar is full
  public static Optional<ProgressBar> start(String task, long max, PrintStream out) {
    if (System.console() == null || !System.console().isTerminal()) {
      return Optional.empty();
    }
    return Optional.of(
        new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(max)
            .setStyle(ProgressBarStyle.ASCII)
            .setConsumer(new ConsoleProgressBarConsumer(out, WIDTH))
            .build());
  }
}
