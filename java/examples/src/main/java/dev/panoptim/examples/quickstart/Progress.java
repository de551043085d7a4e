package dev.panoptim.examples.quickstart;

import java.io.PrintStream;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// How far training is: a bar on a terminal, else a line every few seconds.
final class Progress implements AutoCloseable {
  private static final long NANOS_BETWEEN_LINES = 5_000_000_000L;
  private static final int WIDTH = 100;

  private final PrintStream out;
  private final long before;
  private final long steps;
  private final long start = System.nanoTime();
  private final ProgressBar bar;
  private long lastLine = start;

  /// @param before the steps that an earlier run made
  /// @param steps of all runs together
  Progress(PrintStream out, long before, long steps) {
    this.out = out;
    this.before = before;
    this.steps = steps;
    boolean terminal = System.console() != null && System.console().isTerminal();
    bar =
        terminal
            ? new ProgressBarBuilder()
                .setTaskName("training")
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new ConsoleProgressBarConsumer(out, WIDTH))
                .build()
            : null;
  }

  /// @param loss in bits per byte
  /// @param optimizerNanos the time that the optimizer took of all of it
  void update(long step, double loss, long optimizerNanos) {
    long now = System.nanoTime();
    double seconds = (now - start) / 1e9;
    double speed = (step - before) / seconds;
    if (bar != null) {
      bar.stepTo(step);
      bar.setExtraMessage(words(loss, speed, optimizerNanos / (now - start + 0.0)));
    } else if (now - lastLine > NANOS_BETWEEN_LINES || step == steps) {
      lastLine = now;
      out.printf(
          Locale.ROOT,
          "step %d of %d: %s%n",
          step,
          steps,
          words(loss, speed, optimizerNanos / (now - start + 0.0)));
    }
  }

  private static String words(double loss, double speed, double share) {
    return String.format(
        Locale.ROOT, "loss %.2f bits, %.0f steps/s, optimizer %.1f%%", loss, speed, 100 * share);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
