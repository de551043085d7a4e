package dev.panoptim.bench.report;

import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.StepBenchmark;
import java.util.List;

/// AdamW's step on each backend, for several sizes and numbers of threads.
final class BackendsSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("AdamW on each backend");
    Document.Table table =
        Document.Table.of(
            "backend",
            "tier",
            "threads",
            "parameters",
            "time per step",
            "quartiles",
            "time per parameter",
            "heap bytes per step");
    for (Measurement each :
        results.of(StepBenchmark.class, each -> each.has("optimizer", BenchedOptimizer.ADAMW))) {
      Summary time = each.score();
      table.add(
          each.param("backend"),
          each.param("tier"),
          each.param("threads"),
          Numbers.count(each.number("elements")),
          Duration.of(time),
          Duration.range(time),
          time.times(1.0 / each.number("elements")).median("%.3f ns"),
          time.median() < 10_000 ? each.allocated().median("%.1f") : "");
    }
    chapter.add(
        table,
        "Heap bytes are given for steps under 10 us. An iteration has few of the longer steps, so"
            + " the allocations of the benchmark harness would show.");
    LineChart chart =
        LineChart.logarithmic("backends", "AdamW, one thread", "parameters", "time per step (ns)");
    for (String backend : List.of("native", "vector", "scalar")) {
      chart.add(backend, points(results.steps(BenchedOptimizer.ADAMW, backend, 1)));
    }
    if (!chart.isEmpty()) {
      chapter.add(new Document.Picture("AdamW: time per step by the number of parameters", chart));
    }
    return chapter;
  }

  /// Time per step by the number of parameters.
  static List<LineChart.Point> points(List<Measurement> steps) {
    return steps.stream()
        .map(each -> new LineChart.Point(each.number("elements"), each.score()))
        .toList();
  }
}
