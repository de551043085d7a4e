package dev.panoptim.bench.report;

import dev.panoptim.bench.BandwidthBenchmark;
import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.Peer;
import dev.panoptim.bench.PeerBenchmark;
import dev.panoptim.bench.SmallStepBenchmark;
import dev.panoptim.bench.StepBenchmark;

/// The three figures of the README.
final class Figures {
  static final String BEGIN = "<!-- figures -->";
  static final String END = "<!-- /figures -->";

  private final Measurements measurements;
  private final Document.Table table =
      Document.Table.of("figure", "median", "quartiles", "command");

  private Figures(Measurements measurements) {
    this.measurements = measurements;
  }

  /// The figures as a table. A figure that has not been measured is left out.
  static Document.Table table(Measurements measurements) {
    Figures figures = new Figures(measurements);
    Results results = new Results(measurements);
    figures.add(
        "AdamW, 33,554,432 parameters, 2 threads: time per step / time to move the same bytes",
        results.toLimit(BenchedOptimizer.ADAMW),
        BandwidthBenchmark.class);
    Summary small = results.smallStep("native", SmallStepBenchmark.PUBLISHED);
    if (small.isKnown()) {
      figures.table.add(
          "native AdamW, 16 parameters, at step 10,000: time per step",
          Duration.of(small),
          Duration.range(small),
          figures.command(SmallStepBenchmark.class));
    }
    Summary peer = results.peer(BenchedOptimizer.ADAMW, Peer.PYTORCH_FUSED, "1x" + Results.LARGE);
    if (peer.isKnown()) {
      figures.add(
          "PyTorch's fused AdamW / Panoptim's, 33,554,432 parameters, 2 threads: time per step",
          peer,
          PeerBenchmark.class);
    } else {
      double here = results.step(BenchedOptimizer.ADAMW, "native", 1, 65_536).median();
      figures.add(
          "AdamW in Java's Vector API / native, 65,536 parameters, 1 thread: time per step",
          results.step(BenchedOptimizer.ADAMW, "vector", 1, 65_536).times(1 / here),
          StepBenchmark.class);
    }
    return figures.table;
  }

  private void add(String figure, Summary ratio, Class<?> benchmark) {
    if (ratio.isKnown()) {
      table.add(figure, ratio.median("%.2f"), ratio.range("%.2f"), command(benchmark));
    }
  }

  /// The command of the run that measured a benchmark.
  private String command(Class<?> benchmark) {
    return measurements.runs().stream()
        .filter(run -> run.measurements().stream().anyMatch(each -> each.isOf(benchmark)))
        .map(run -> "`" + run.command() + "`")
        .findFirst()
        .orElseThrow();
  }

  /// The README with the lines between [#BEGIN] and [#END] replaced by the figures.
  ///
  /// @throws IllegalArgumentException if the README does not have both markers, once each
  static String replace(String readme, Measurements measurements) {
    int begin = only(readme, BEGIN) + BEGIN.length();
    int end = only(readme, END);
    if (end < begin) {
      throw new IllegalArgumentException("README: " + END + " precedes " + BEGIN);
    }
    return readme.substring(0, begin)
        + "\n"
        + Markdown.of(table(measurements))
        + readme.substring(end);
  }

  private static int only(String readme, String marker) {
    int at = readme.indexOf(marker);
    if (at < 0 || readme.indexOf(marker, at + 1) >= 0) {
      throw new IllegalArgumentException("README: must have one line " + marker);
    }
    return at;
  }
}
