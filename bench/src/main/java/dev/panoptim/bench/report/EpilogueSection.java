package dev.panoptim.bench.report;

import dev.panoptim.bench.EpilogueBenchmark;
import java.util.List;

/// A step with everything around the update, fused and as separate passes.
final class EpilogueSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Fused step");
    PairTable table =
        new PairTable(
            List.of("parameters", "threads", "compared with"),
            "time per fused step",
            "time of the comparison",
            "fused / comparison",
            Measurement::stepToOther,
            "%.2f");
    for (Measurement each : results.of(EpilogueBenchmark.class)) {
      table.add(
          each,
          List.of(Numbers.count(each.number("elements")), each.param("threads"), comparison(each)));
    }
    chapter.add(
        table.table(),
        "AdamW with gradient scale, clipping to a norm, moving average of the parameters, bfloat16"
            + " copy, and gradients set to 0.");
    return chapter;
  }

  static String comparison(Measurement pair) {
    return pair.has("against", EpilogueBenchmark.PASSES)
        ? "separate native passes"
        : "PyTorch's operations around its fused AdamW";
  }
}
