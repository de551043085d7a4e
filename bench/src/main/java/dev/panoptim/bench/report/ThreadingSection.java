package dev.panoptim.bench.report;

import static dev.panoptim.bench.ThreadingBenchmark.SPINS;

import dev.panoptim.bench.ThreadingBenchmark;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Steps with the pool's threads and with OpenMP's, back to back and with pauses.
final class ThreadingSection implements Section {
  /// Labels by the benchmark's parameter.
  private static final Map<String, String> KINDS = new LinkedHashMap<>();

  static {
    KINDS.put(ThreadingBenchmark.ONE, "one thread");
    KINDS.put(ThreadingBenchmark.POOL, "pool");
    KINDS.put(ThreadingBenchmark.ACTIVE, "OpenMP, spinning");
    KINDS.put(ThreadingBenchmark.PASSIVE, "OpenMP, passive");
  }

  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("The pool and OpenMP");
    List<Measurement> all = results.of(ThreadingBenchmark.class);
    List<String> columns = new ArrayList<>(List.of("parameters", "pause", "caller in pauses"));
    columns.addAll(KINDS.values());
    Document.Table table = Document.Table.of(columns);
    for (String elements : values(all, "elements")) {
      for (String pause : values(all, "pauseMicros")) {
        for (String caller : pause.equals("0") ? List.of(SPINS) : values(all, "caller")) {
          addRow(table, all, elements, pause, caller);
        }
      }
    }
    chapter.add(
        table,
        "AdamW, native. Time per step without its pause; in brackets the number of processors that"
            + " the process kept busy on average, pauses included.");
    addPicture(
        chapter,
        all,
        "threading-sizes",
        "back to back",
        "elements",
        each -> each.has("pauseMicros", 0));
    for (String elements : values(all, "elements")) {
      addPicture(
          chapter,
          all,
          "threading-pauses-" + elements,
          Numbers.count(Long.parseLong(elements)) + " parameters, after pauses",
          "pauseMicros",
          each -> each.has("elements", elements) && !each.has("pauseMicros", 0));
    }
    return chapter;
  }

  private static List<String> values(List<Measurement> all, String name) {
    return all.stream().map(each -> each.param(name)).distinct().toList();
  }

  private static void addRow(
      Document.Table table, List<Measurement> all, String elements, String pause, String caller) {
    boolean backToBack = pause.equals("0");
    List<String> cells = new ArrayList<>();
    cells.add(Numbers.count(Long.parseLong(elements)));
    cells.add(backToBack ? "none" : pause + " us");
    cells.add(backToBack ? "" : caller);
    int measured = 0;
    for (String kind : KINDS.keySet()) {
      List<Measurement> found =
          all.stream()
              .filter(each -> each.has("elements", elements) && each.has("pauseMicros", pause))
              .filter(each -> each.has("caller", caller) && each.has("threading", kind))
              .toList();
      measured += found.size();
      cells.add(found.isEmpty() ? "" : cell(found.getFirst()));
    }
    if (measured > 0) {
      table.add(cells);
    }
  }

  private static String cell(Measurement step) {
    return Duration.of(step.step()) + step.summary("processors").median(" (%.1f)");
  }

  /// A line for each kind of threads, with callers that spin.
  private static void addPicture(
      Document.Chapter chapter,
      List<Measurement> all,
      String name,
      String title,
      String x,
      Predicate<Measurement> which) {
    LineChart chart =
        LineChart.logarithmic(
            name,
            "AdamW, native, " + title,
            x.equals("elements") ? "parameters" : "pause (us)",
            "time per step (ns)");
    for (Map.Entry<String, String> kind : KINDS.entrySet()) {
      chart.add(
          kind.getValue(),
          all.stream()
              .filter(which)
              .filter(each -> each.has("threading", kind.getKey()) && each.has("caller", SPINS))
              .map(each -> new LineChart.Point(each.number(x), each.step()))
              .toList());
    }
    if (!chart.isEmpty()) {
      chapter.add(new Document.Picture("Time per step by kind of threads, " + title, chart));
    }
  }
}
