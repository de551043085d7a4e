package dev.panoptim.bench.report;

import dev.panoptim.bench.report.Targets.Target;
import java.util.List;

/// The most important results, before all details: figures, targets, missed targets first.
final class SummarySection {
  private SummarySection() {}

  static Document.Chapter chapter(Measurements measurements, GpuTable gpu) {
    Document.Chapter chapter = Document.Chapter.of("Summary");
    chapter.add(Figures.table(measurements, gpu));
    List<Target> targets = Targets.of(new Results(measurements), gpu);
    Document.Table table = Document.Table.of("target", "bound", "measured", "reached");
    targets.stream().filter(each -> !each.reached()).forEach(each -> add(table, each));
    targets.stream().filter(Target::reached).forEach(each -> add(table, each));
    chapter.add(
        table,
        "%s of %s targets are reached. Another library counts with the number of threads at which it is fastest."
            .formatted(targets.stream().filter(Target::reached).count(), targets.size()));
    return chapter;
  }

  private static void add(Document.Table table, Target target) {
    table.add(
        target.measure(),
        target.bound(),
        target.measured(),
        target.reached() ? Targets.REACHED : Targets.MISSED);
  }
}
