package dev.panoptim.bench.report;

import dev.panoptim.bench.ConstantsBenchmark;
import java.util.List;

/// The library's constants beside other values of them.
final class ConstantsSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Constants");
    PairTable table =
        new PairTable(
            List.of("changed constant", "parameters"),
            "time per step as chosen",
            "time per step as changed",
            "changed / chosen",
            Measurement::otherToStep,
            "%.3f");
    for (Measurement each : results.of(ConstantsBenchmark.class)) {
      table.add(each, List.of(each.param("changed"), Numbers.count(each.number("elements"))));
    }
    chapter.add(
        table.table(),
        "AdamW, native. Times are those of as many steps as update 33,554,432 parameters. A ratio"
            + " over 1 means that the chosen value is better.");
    return chapter;
  }
}
