package dev.panoptim.bench.report;

import dev.panoptim.bench.SmallStepBenchmark;

/// Steps so small that their fixed costs dominate.
final class SmallStepsSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Small steps");
    Document.Table table =
        Document.Table.of(
            "backend",
            "parameters",
            "step count",
            "time per step",
            "quartiles",
            "heap bytes per step");
    for (Measurement each : results.of(SmallStepBenchmark.class)) {
      Summary time = each.score();
      table.add(
          each.param("backend"),
          Numbers.count(each.number("elements")),
          Numbers.count(each.number("step")),
          Duration.of(time),
          Duration.range(time),
          each.summary(SmallStepBenchmark.HEAP_BYTES).median("%.1f"));
    }
    chapter.add(
        table,
        "AdamW, one thread. The time depends on the step count, because each step computes powers"
            + " of beta1 and beta2. Their cost is highest between steps 5,000 and 25,000. Beyond"
            + " step 100,000 the powers are 0 and cost nothing.");
    return chapter;
  }
}
