package dev.panoptim.examples.serving;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// How far the rounds are: a bar of requests on a terminal, else a line for each round.
///
/// Not thread-safe.
final class Progress implements AutoCloseable {
  private static final int WIDTH = 100;

  private final PrintStream out;

  /// Null if there is no terminal.
  private final ProgressBar bar;

  /// @param requests of all rounds together
  Progress(PrintStream out, long requests) {
    this.out = out;
    boolean terminal = System.console() != null && System.console().isTerminal();
    bar =
        terminal
            ? new ProgressBarBuilder()
                .setTaskName("requests")
                .setInitialMax(requests)
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new ConsoleProgressBarConsumer(out, WIDTH))
                .build()
            : null;
  }

  void begin(String round) {
    if (bar == null) {
      out.println(round);
    } else {
      bar.setExtraMessage(round);
    }
  }

  void requestSent() {
    if (bar != null) {
      bar.step();
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
