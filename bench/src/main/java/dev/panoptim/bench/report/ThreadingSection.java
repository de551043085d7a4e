package dev.panoptim.bench.report;

import static dev.panoptim.bench.ThreadingBenchmark.SPINS;
import static dev.panoptim.bench.report.Report.format;

import dev.panoptim.bench.ThreadingBenchmark;
import dev.panoptim.bench.report.Document.Section;
import dev.panoptim.bench.report.Document.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.knowm.xchart.XYChart;

/// Steps by each kind of threads, back to back and with pauses.
final class ThreadingSection {
  /// The kinds, with the words for them.
  private static final Map<String, String> KINDS = new LinkedHashMap<>();

  static {
    KINDS.put(ThreadingBenchmark.ONE, "one thread");
    KINDS.put(ThreadingBenchmark.POOL, "pool");
    KINDS.put(ThreadingBenchmark.ACTIVE, "OpenMP, spinning");
    KINDS.put(ThreadingBenchmark.PASSIVE, "OpenMP, passive");
  }

  private final List<Result> all;

  ThreadingSection(Results results) {
    all = results.of(ThreadingBenchmark.class);
  }

  Section section() {
    Section section = Section.of("The pool and OpenMP");
    List<String> columns = new ArrayList<>(List.of("elements", "pause", "the caller"));
    columns.addAll(KINDS.values());
    Table table = Table.of(columns.toArray(String[]::new));
    for (String elements : values("elements")) {
      for (String pause : values("pauseMicros")) {
        for (String caller : pause.equals("0") ? List.of(SPINS) : values("caller")) {
          addRow(table, elements, pause, caller);
        }
      }
    }
    if (table.rows().isEmpty()) {
      return section;
    }
    section.add(
        table,
        "AdamW, native: what a step takes without its pause, and in brackets how many processors"
            + " the process kept busy, pauses included.");
    addPicture(
        section, "threading-sizes", "back to back", "elements", each -> each.has("pauseMicros", 0));
    for (String elements : values("elements")) {
      addPicture(
          section,
          "threading-pauses-" + elements,
          format("%,d elements, after pauses", Long.parseLong(elements)),
          "pauseMicros",
          each -> each.has("elements", elements) && !each.has("pauseMicros", 0));
    }
    return section;
  }

  private List<String> values(String name) {
    return all.stream().map(each -> each.param(name)).distinct().toList();
  }

  private void addRow(Table table, String elements, String pause, String caller) {
    boolean backToBack = pause.equals("0");
    List<String> cells = new ArrayList<>();
    cells.add(elements);
    cells.add(backToBack ? "none" : pause + " us");
    cells.add(backToBack ? "" : caller);
    boolean measured = false;
    for (String kind : KINDS.keySet()) {
      Result found =
          all.stream()
              .filter(each -> each.has("elements", elements) && each.has("pauseMicros", pause))
              .filter(each -> each.has("caller", caller) && each.has("threading", kind))
              .findFirst()
              .orElse(null);
      measured |= found != null;
      cells.add(found == null ? "" : cell(found));
    }
    if (measured) {
      table.add(cells.toArray(String[]::new));
    }
  }

  private static String cell(Result result) {
    return Duration.of(result.counter("stepNanos").median())
        + format(" (%.1f)", result.counter("processors").median());
  }

  /// A line for each kind, with callers that spin; nothing where no line has two points.
  private void addPicture(
      Section section, String name, String title, String x, Predicate<Result> which) {
    XYChart chart =
        Charts.logarithmic(
            "AdamW, native, " + title,
            x.equals("elements") ? x : "pause in microseconds",
            "nanoseconds of a step");
    boolean drawn = false;
    for (String kind : KINDS.keySet()) {
      List<Charts.Point> points =
          all.stream()
              .filter(which)
              .filter(each -> each.has("threading", kind))
              .filter(each -> each.has("caller", SPINS))
              .map(each -> new Charts.Point(each.number(x), each.counter("stepNanos")))
              .toList();
      if (points.size() > 1) {
        Charts.add(chart, KINDS.get(kind), points);
        drawn = true;
      }
    }
    if (drawn) {
      section.add(new Document.Picture(name, "Steps by each kind of threads, " + title, chart));
    }
  }
}
