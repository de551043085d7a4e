package dev.panoptim.bench.report;

import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.StepBenchmark;
import java.util.List;

/// How much faster a step becomes with more threads.
final class ScalingSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("More threads for one step");
    List<Measurement> steps =
        results.of(
            StepBenchmark.class,
            each ->
                each.has("optimizer", BenchedOptimizer.ADAMW)
                    && each.has("backend", "native")
                    && each.has("tier", StepBenchmark.BEST));
    Document.Table table =
        Document.Table.of(
            "parameters", "threads", "time per step", "time with 1 thread", "speedup");
    for (Measurement each : steps) {
      Summary alone =
          results.step(BenchedOptimizer.ADAMW, "native", 1, (int) each.number("elements"));
      if (each.number("threads") > 1 && alone.isKnown()) {
        table.add(
            Numbers.count(each.number("elements")),
            each.param("threads"),
            Duration.of(each.score()),
            Duration.of(alone),
            each.score().inverse().times(alone.median()).median("%.2f"));
      }
    }
    chapter.add(
        table,
        "AdamW, native. Speedup: time with 1 thread / time per step. Above cache size a step is"
            + " limited by memory bandwidth, which one thread may exhaust.");
    return chapter;
  }
}
