package dev.panoptim.bench.report;

import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.Peer;
import dev.panoptim.bench.SmallStepBenchmark;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The figures of the README: three of the CPU, and one of a GPU if there was a run.
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
  ///
  /// @param gpu the run on a GPU, or [GpuTable#NONE]
  static Document.Table table(Measurements measurements, GpuTable gpu) {
    Figures figures = new Figures(measurements);
    figures.addRatio(
        "AdamW, 33,554,432 parameters, 2 threads: time per step / time to move the same bytes",
        results -> results.toLimit(BenchedOptimizer.ADAMW));
    figures.add(
        "native AdamW, 16 parameters, at step 10,000: time per step",
        results -> results.smallStep("native", SmallStepBenchmark.PUBLISHED),
        Duration::of,
        Duration::range);
    boolean hasPeer =
        figures.addRatio(
            "PyTorch's fused AdamW / Panoptim's, 33,554,432 parameters, 2 threads: time per step",
            results ->
                results.peer(BenchedOptimizer.ADAMW, Peer.PYTORCH_FUSED, "1x" + Results.LARGE));
    if (!hasPeer) {
      figures.addRatio(
          "AdamW in Java's Vector API / native, 65,536 parameters, 1 thread: time per step",
          results -> vectorToNative(results, 65_536));
    }
    figures.addGpu(gpu);
    return figures.table;
  }

  private void addGpu(GpuTable gpu) {
    Summary share =
        gpu.row(new GpuTable.Case(GpuTable.ADAMW, 1, GpuTable.LARGEST), GpuTable.PANOPTIM)
            .shareOfCopy();
    if (share.isKnown()) {
      table.add(
          "AdamW, 1,000,000,000 parameters, "
              + gpu.deviceName()
              + ": bandwidth / bandwidth of a device copy",
          share.median("%.2f"),
          share.range("%.2f"),
          "`" + GpuSection.COMMAND + "`");
    }
  }

  private static Summary vectorToNative(Results results, int elements) {
    double here = results.step(BenchedOptimizer.ADAMW, "native", 1, elements).median();
    return results.step(BenchedOptimizer.ADAMW, "vector", 1, elements).times(1 / here);
  }

  private boolean addRatio(String figure, Function<Results, Summary> query) {
    return add(figure, query, ratio -> ratio.median("%.2f"), ratio -> ratio.range("%.2f"));
  }

  /// @return whether the figure is known
  private boolean add(
      String figure,
      Function<Results, Summary> query,
      Function<Summary, String> median,
      Function<Summary, String> range) {
    Summary value = query.apply(new Results(measurements));
    if (value.isKnown()) {
      table.add(figure, median.apply(value), range.apply(value), command(query));
    }
    return value.isKnown();
  }

  /// The command of the first run that determines a figure alone; the commands of all runs if there
  /// is no such run.
  private String command(Function<Results, Summary> query) {
    return measurements.runs().stream()
        .filter(run -> query.apply(new Results(new Measurements(List.of(run)))).isKnown())
        .findFirst()
        .map(List::of)
        .orElse(measurements.runs())
        .stream()
        .map(run -> "`" + run.command() + "`")
        .collect(Collectors.joining(", "));
  }

  /// The README with the lines between [#BEGIN] and [#END] replaced by the figures.
  ///
  /// @throws IllegalArgumentException if the README does not have both markers, once each
  static String replace(String readme, Measurements measurements, GpuTable gpu) {
    int begin = only(readme, BEGIN) + BEGIN.length();
    int end = only(readme, END);
    if (end < begin) {
      throw new IllegalArgumentException("README: " + END + " precedes " + BEGIN);
    }
    return readme.substring(0, begin)
        + "\n"
        + Markdown.of(table(measurements, gpu))
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
