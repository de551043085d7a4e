package dev.panoptim.examples.serving;

import dev.panoptim.examples.console.TerminalBar;
import java.io.PrintStream;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;

/// Shows the progress of the rounds: a bar of requests on a terminal, else a line for each round.
///
/// Not thread-safe.
final class Progress implements AutoCloseable {
  private final PrintStream out;
  private final Optional<ProgressBar> bar;

  /// @param requests number of requests of all rounds together
  Progress(PrintStream out, long requests) {
    this.out = out;
    bar = TerminalBar.start("requests", requests, out);
  }

  void begin(String round) {
    bar.ifPresentOrElse(shown -> shown.setExtraMessage(round), () -> out.println(round));
  }

  void requestSent() {
    bar.ifPresent(ProgressBar::step);
  }

  @Override
  public void close() {
    bar.ifPresent(ProgressBar::close);
  }
}
