package dev.panoptim.bench.report;

import dev.panoptim.bench.PublicationBenchmark;
import java.util.List;

/// The cost of publishing parameters to readers.
final class PublicationSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Publication");
    PairTable table =
        new PairTable(
            List.of("parameters", "compared with"),
            "time per publishing step",
            "time of the comparison",
            "publishing / comparison",
            Measurement::stepToOther,
            "%.2f");
    for (Measurement each : results.of(PublicationBenchmark.class)) {
      table.add(
          each,
          List.of(
              Numbers.count(each.number("elements")),
              each.has("against", PublicationBenchmark.COPY)
                  ? "a step, then a copy"
                  : "a step alone"));
    }
    chapter.add(table.table(), "AdamW, two threads.");
    return chapter;
  }
}
