package dev.panoptim.examples.quickstart;

import dev.panoptim.examples.console.TerminalBar;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;

/// Shows the progress of a training: a bar on a terminal, else a line every few seconds.
///
/// Not thread-safe.
final class Progress implements AutoCloseable {
  private static final long NANOS_BETWEEN_LINES = 5_000_000_000L;

  private final PrintStream out;
  private final long before;
  private final long steps;
  private final long start = System.nanoTime();
  private final Optional<ProgressBar> bar;
  private long lastLine = start;

  /// @param before number of steps that an earlier run made
  /// @param steps number of steps of all runs together
  Progress(PrintStream out, long before, long steps) {
    this.out = out;
    this.before = before;
    this.steps = steps;
    bar = TerminalBar.start("training", steps, out);
  }

  /// @param loss in bits per byte
  /// @param optimizerNanos time spent in the optimizer since the start
  void update(long step, double loss, long optimizerNanos) {
    long now = System.nanoTime();
    double nanos = now - start;
    String text =
        String.format(
            Locale.ROOT,
            "loss %.2f bits, %.0f steps/s, optimizer %.1f%%",
            loss,
            (step - before) / (nanos / 1e9),
            100 * optimizerNanos / nanos);
    if (bar.isPresent()) {
      bar.get().stepTo(step);
      bar.get().setExtraMessage(text);
    } else if (now - lastLine > NANOS_BETWEEN_LINES || step == steps) {
      lastLine = now;
      out.printf(Locale.ROOT, "step %d of %d: %s%n", step, steps, text);
    }
  }

  @Override
  public void close() {
    bar.ifPresent(ProgressBar::close);
  }
}
