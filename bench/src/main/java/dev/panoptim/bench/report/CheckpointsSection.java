package dev.panoptim.bench.report;

import dev.panoptim.bench.CheckpointBenchmark;
import java.util.List;

/// Saving and loading beside copying the same file.
final class CheckpointsSection implements Section {
  private static final double MIB = 1 << 20;

  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Checkpoints");
    PairTable table =
        new PairTable(
            List.of("action"),
            "time",
            "time to copy the file with fsync",
            "action / copy",
            Measurement::stepToOther,
            "%.2f",
            "allocated on the heap");
    for (Measurement each : results.of(CheckpointBenchmark.class)) {
      table.add(
          each,
          List.of(
              each.has("action", CheckpointBenchmark.SNAPSHOT)
                  ? "snapshot, until training may continue"
                  : each.param("action")),
          Numbers.format("%.2f MiB", allocatedMib(each)));
    }
    chapter.add(
        table.table(),
        "1 GiB of AdamW's parameters and states. A save forces the file and its folder to the disk;"
            + " a load verifies all checksums.");
    return chapter;
  }

  /// The upper quartile.
  static double allocatedMib(Measurement checkpoint) {
    return checkpoint.summary("heapBytes").high() / MIB;
  }
}
