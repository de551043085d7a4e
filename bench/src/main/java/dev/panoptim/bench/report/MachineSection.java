package dev.panoptim.bench.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Where and how the measurements were made.
final class MachineSection {
  private MachineSection() {}

  static Document.Chapter chapter(Measurements measurements) {
    Document.Chapter chapter = Document.Chapter.of("Machine and method");
    Document.Table runs = Document.Table.of("command", "date", "other libraries");
    measurements
        .runs()
        .forEach(
            each ->
                runs.add(
                    "`" + each.command() + "`", each.date(), String.join(", ", each.libraries())));
    chapter.add(runs);
    Map<Map<String, String>, List<Run>> machines =
        measurements.runs().stream()
            .collect(Collectors.groupingBy(Run::machine, LinkedHashMap::new, Collectors.toList()));
    machines.forEach((machine, ran) -> chapter.add(table(machine, ran, machines.size() == 1)));
    chapter.add(
        new Document.Text(
            "Figures are medians over all iterations of all processes, with their quartiles. Ratios"
                + " with quartiles are medians over pairs that ran in turn. Ratios of backends, and"
                + " of several threads to one, are ratios of medians of separate runs. In charts,"
                + " error bars span the quartiles."));
    return chapter;
  }

  private static Document.Table table(Map<String, String> machine, List<Run> runs, boolean only) {
    Document.Table table = Document.Table.of("property", "value");
    if (!only) {
      table.add("runs", runs.stream().map(Run::suite).collect(Collectors.joining(", ")));
    }
    machine.forEach((name, value) -> table.add(name, value));
    return table;
  }
}
