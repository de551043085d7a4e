package dev.panoptim.bench.report;

import dev.panoptim.bench.CallersBenchmark;
import java.util.List;

/// Many Java threads that make steps at once.
final class CallersSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Many Java threads at once");
    PairTable table =
        new PairTable(
            List.of("Java threads"),
            "time per step, all threads",
            "time per step, one thread",
            "throughput of all / throughput of one",
            Measurement::otherToStep,
            "%.2f",
            "native threads");
    for (Measurement each : results.of(CallersBenchmark.class)) {
      table.add(
          each,
          List.of(each.param("callers") + " " + each.param("kind")),
          Numbers.format("%.0f", each.summary("nativeThreads").high()));
    }
    chapter.add(
        table.table(),
        "AdamW over 16,777,216 parameters. Each Java thread has its own optimizer, which may use"
            + " two threads. Time per step is elapsed time / number of steps made by all threads."
            + " Native threads are those of the whole process, including the Java virtual"
            + " machine's.");
    return chapter;
  }
}
