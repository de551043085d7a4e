package dev.panoptim.bench.report;

import dev.panoptim.bench.BenchedRows;
import dev.panoptim.bench.IdGrowthBenchmark;
import dev.panoptim.bench.IdReadBenchmark;
import dev.panoptim.bench.RowPeer;
import dev.panoptim.bench.RowPeerBenchmark;
import dev.panoptim.bench.RowsBenchmark;
import java.util.List;

/// Tables of rows.
final class RowsSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Rows of tables");
    addSteps(chapter, results.of(RowsBenchmark.class));
    addReads(chapter, results.of(IdReadBenchmark.class));
    addGrowth(chapter, results.of(IdGrowthBenchmark.class));
    addPeers(chapter, results.of(RowPeerBenchmark.class));
    return chapter;
  }

  private static void addSteps(Document.Chapter chapter, List<Measurement> all) {
    PairTable table =
        new PairTable(
            List.of("table", "optimizer", "rows", "threads"),
            "time per step",
            "time to move the same bytes",
            "share of the limit",
            Measurement::otherToStep,
            "%.2f");
    for (Measurement each : all) {
      table.add(
          each,
          List.of(
              each.param("table"),
              optimizer(each),
              Numbers.count(each.number("rows")),
              each.param("threads")));
    }
    chapter.add(
        table.table(),
        "Rows of 64 elements. A step has 4,096 ids with Zipf's distribution (exponent 1.05) and a"
            + " gradient for each, which are in cache; 256 different batches follow each other."
            + " The limit is a kernel that reads the gradients, and reads and writes the same"
            + " rows of other memory with a RowTable's layout, with the same prefetches.");
  }

  private static void addReads(Document.Chapter chapter, List<Measurement> all) {
    Document.Table table =
        Document.Table.of(
            "ids",
            "call",
            "look-ups per second, alone",
            "beside a thread that learns",
            "beside / alone",
            "quartiles");
    for (Measurement each : all) {
      Summary ratio = each.otherToStep();
      table.add(
          Numbers.count(each.number("ids")),
          each.param("call"),
          perSecond(each.other()),
          perSecond(each.step()),
          ratio.median("%.2f"),
          ratio.range("%.2f"));
    }
    chapter.add(
        table,
        "IdTable: rows that one thread reads, by a call for each id or for 4,096, alone and while"
            + " another thread makes steps without a pause.");
  }

  private static String perSecond(Summary nanos) {
    return Numbers.format("%.1f million", 1e3 / nanos.median());
  }

  private static void addGrowth(Document.Chapter chapter, List<Measurement> all) {
    Document.Table table =
        Document.Table.of("ids", "of a step", "steps", "median", "99.99 %", "longest");
    for (Measurement each : all) {
      addGrowth(table, each, "new ids", "new");
      addGrowth(table, each, "known ids", "known");
    }
    chapter.add(
        table,
        "IdTable: the times of all steps while it grows from no id, and of the same steps once"
            + " more. 99.99 %: no more than one of 10,000 steps takes longer.");
  }

  private static void addGrowth(
      Document.Table table, Measurement each, String steps, String prefix) {
    table.add(
        Numbers.count(each.number("ids")),
        each.param("batch"),
        steps,
        Duration.of(each.summary(prefix + "Median")),
        Duration.of(each.summary(prefix + "Rare")),
        Duration.of(each.summary(prefix + "Longest")));
  }

  private static void addPeers(Document.Chapter chapter, List<Measurement> all) {
    PairTable table =
        new PairTable(
            List.of("other implementation", "optimizer", "rows", "threads"),
            "RowTable's time per step",
            "its time per step",
            "other / RowTable",
            Measurement::otherToStep,
            "%.1f");
    for (Measurement each : all) {
      table.add(
          each,
          List.of(
              RowPeer.valueOf(each.param("peer")).label(),
              optimizer(each),
              Numbers.count(each.number("rows")),
              each.param("threads")));
    }
    chapter.add(
        table.table(),
        "The same batches of 4,096 ids. The results of both sides were compared before they were"
            + " timed. Adam in PyTorch is SparseAdam.");
  }

  private static String optimizer(Measurement each) {
    return BenchedRows.valueOf(each.param("optimizer")).label();
  }
}
