package dev.panoptim.bench.report;

import dev.panoptim.bench.ManyTensorsBenchmark;
import java.util.List;

/// Many small tensors beside one large tensor.
final class ManyTensorsSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Many tensors");
    PairTable table =
        new PairTable(
            List.of("tensors x elements", "gradients"),
            "time per step",
            "time per step over one tensor",
            "many tensors / one tensor",
            Measurement::stepToOther,
            "%.2f");
    for (Measurement each : results.of(ManyTensorsBenchmark.class)) {
      table.add(
          each,
          List.of(
              Numbers.tensors(each.param("tensors")),
              each.has("gradients", ManyTensorsBenchmark.MOVE)
                  ? "at a new address in each step"
                  : "at fixed addresses"));
    }
    chapter.add(
        table.table(),
        "AdamW, native, two threads. The one tensor has as many elements as all the others"
            + " together.");
    return chapter;
  }
}
