package dev.panoptim.bench.report;

import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.Peer;
import dev.panoptim.bench.PeerBenchmark;
import java.util.List;
import java.util.Locale;

/// Other libraries beside Panoptim.
final class PeersSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Other libraries");
    List<Measurement> all = results.of(PeerBenchmark.class);
    PairTable table =
        new PairTable(
            List.of("tensors x elements", "optimizer", "library", "its threads"),
            "Panoptim's time per step",
            "its time per step",
            "library / Panoptim",
            Measurement::otherToStep,
            "%.2f");
    for (Measurement each : all) {
      table.add(
          each,
          List.of(
              Numbers.tensors(each.param("tensors")),
              optimizer(each).label(),
              peer(each).label(),
              each.param("peerThreads")));
    }
    chapter.add(
        table.table(),
        "Panoptim has two threads. The results of both sides were compared before they were timed.",
        "Above cache size Panoptim's step is limited by memory bandwidth, however slow the"
            + " other library's arithmetic is.");
    for (String tensors : all.stream().map(each -> each.param("tensors")).distinct().toList()) {
      addChart(chapter, tensors, all);
    }
    return chapter;
  }

  private static void addChart(Document.Chapter chapter, String tensors, List<Measurement> all) {
    String title = Numbers.tensors(tensors) + " elements: library / Panoptim, time per step";
    BarChart chart = new BarChart("peers-" + tensors, title, "%.2f");
    for (Measurement each : all) {
      if (each.has("tensors", tensors) && optimizer(each) == peer(each).mainOptimizer()) {
        chart.add(label(each), each.otherToStep());
      }
    }
    if (!chart.isEmpty()) {
      chapter.add(new Document.Picture(title, chart));
    }
  }

  private static String label(Measurement each) {
    return "%s, %s, %s"
        .formatted(
            each.param("peer").toLowerCase(Locale.ROOT).replace('_', ' '),
            optimizer(each).label(),
            Numbers.threads(each.number("peerThreads")));
  }

  private static Peer peer(Measurement each) {
    return Peer.valueOf(each.param("peer"));
  }

  private static BenchedOptimizer optimizer(Measurement each) {
    return BenchedOptimizer.valueOf(each.param("optimizer"));
  }
}
