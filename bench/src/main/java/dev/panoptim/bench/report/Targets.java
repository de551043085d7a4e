package dev.panoptim.bench.report;

import static dev.panoptim.bench.report.Report.format;

import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.CallersBenchmark;
import dev.panoptim.bench.CheckpointBenchmark;
import dev.panoptim.bench.EpilogueBenchmark;
import dev.panoptim.bench.Peer;
import dev.panoptim.bench.PeerBenchmark;
import dev.panoptim.bench.StepBenchmark;
import dev.panoptim.bench.report.Document.Section;
import dev.panoptim.bench.report.Document.Table;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// What the project wants to reach, beside what was measured.
final class Targets {
  private static final String ONE_LARGE = "1x" + Results.LARGE;

  private final Results results;
  private final Table table = Table.of("what", "wanted", "measured", "reached");

  Targets(Results results) {
    this.results = results;
  }

  Section section() {
    addLimits();
    addBackends();
    addEpilogue();
    addCallers();
    addCheckpoints();
    addPeers();
    Section section = Section.of("What was wanted");
    section.add(table);
    return section;
  }

  private void addLimits() {
    atMost(
        "AdamW's time to the bandwidth limit's", 1 / 0.95, results.toLimit(BenchedOptimizer.ADAMW));
    atMost(
        "the slowest optimizer's to the bandwidth limit's",
        1.15,
        Arrays.stream(BenchedOptimizer.values())
            .map(results::toLimit)
            .filter(Summary::isKnown)
            .max(Comparator.comparingDouble(Summary::median))
            .orElse(Summary.UNKNOWN));
  }

  private void addBackends() {
    for (int elements : new int[] {4096, 65536}) {
      double here = results.step(BenchedOptimizer.ADAMW, "native", 1, elements).median();
      String parameters = format("%,d parameters, one thread", elements);
      atLeast(
          "scalar to native, " + parameters,
          6,
          results.step(BenchedOptimizer.ADAMW, "scalar", 1, elements).times(1 / here));
      atLeast(
          "vector to native, " + parameters,
          1,
          results.step(BenchedOptimizer.ADAMW, "vector", 1, elements).times(1 / here));
    }
    atMost(
        "nanoseconds of a native step over 16 parameters",
        200,
        results.step(BenchedOptimizer.ADAMW, "native", 1, 16));
    // The smallest step: of the longer ones there are so few that what the harness allocates shows.
    for (Result each :
        results.of(
            StepBenchmark.class,
            each ->
                each.has("elements", 16)
                    && each.has("optimizer", BenchedOptimizer.ADAMW)
                    && !Double.isNaN(each.allocated()))) {
      add(
          "bytes allocated by a step, " + each.param("backend") + " " + each.param("tier"),
          "0",
          format("%.1f", each.allocated()),
          each.allocated() < 0.05);
    }
  }

  private void addEpilogue() {
    for (Result each : results.of(EpilogueBenchmark.class)) {
      boolean passes = each.has("against", EpilogueBenchmark.PASSES);
      atMost(
          "the fused end of a step to " + (passes ? "separate passes" : "PyTorch's chain"),
          passes ? 0.8 : 0.6,
          each.stepToOther());
    }
  }

  private void addCallers() {
    for (Result each : results.of(CallersBenchmark.class)) {
      atLeast(
          "speed of %s %s Java threads at once to that of one"
              .formatted(each.param("callers"), each.param("kind")),
          0.8,
          each.otherToStep());
    }
  }

  private void addCheckpoints() {
    for (Result each :
        results.of(
            CheckpointBenchmark.class, each -> !each.has("action", CheckpointBenchmark.SNAPSHOT))) {
      String action = each.param("action") + " of 1 GiB of state";
      atMost(action + " to copying the file with fsync", 1.3, each.stepToOther());
      double allocated = each.counter("heapBytes").high() / (1 << 20);
      add("MiB allocated by the " + action, "16", format("%.1f", allocated), allocated <= 16);
    }
  }

  private void addPeers() {
    atLeast(BenchedOptimizer.ADAMW, Peer.PYTORCH_FUSED, ONE_LARGE, 1 / 0.75);
    atLeast(BenchedOptimizer.ADAMW, Peer.LIBTORCH_FUSED, ONE_LARGE, 1 / 0.75);
    atLeast(BenchedOptimizer.ADAMW, Peer.LIBTORCH_STAGGERED, ONE_LARGE, 1);
    atLeast(BenchedOptimizer.ADAMW, Peer.PYTORCH_FUSED, "5000x1000", 15);
    atLeast(BenchedOptimizer.ADAMW, Peer.LIBTORCH_FUSED, "5000x1000", 15);
    atLeast(BenchedOptimizer.ADAMW, Peer.PYTORCH_FUSED, "1x256", 20);
    atLeast(BenchedOptimizer.ADAMW, Peer.LIBTORCH_FUSED, "1x256", 20);
    for (Peer peer : List.of(Peer.DJL, Peer.ND4J)) {
      atLeast(BenchedOptimizer.ADAM, peer, ONE_LARGE, 10);
      atLeast(BenchedOptimizer.ADAM, peer, "1000x256", 100);
    }
    for (BenchedOptimizer each :
        List.of(BenchedOptimizer.RMSPROP, BenchedOptimizer.NADAM, BenchedOptimizer.ADADELTA)) {
      atLeast(each, Peer.PYTORCH, ONE_LARGE, 8);
    }
  }

  /// How many times as long a peer takes, at the number of threads that suits it best.
  private void atLeast(BenchedOptimizer optimizer, Peer peer, String tensors, double wanted) {
    results
        .of(
            PeerBenchmark.class,
            each ->
                each.has("optimizer", optimizer)
                    && each.has("peer", peer)
                    && each.has("tensors", tensors))
        .stream()
        .min(Comparator.comparingDouble(each -> each.counter("otherNanos").median()))
        .ifPresent(
            best ->
                atLeast(
                    "%s to Panoptim, %s, %s".formatted(peer.label(), optimizer.label(), tensors),
                    wanted,
                    best.otherToStep()));
  }

  private void atLeast(String what, double wanted, Summary measured) {
    if (measured.isKnown()) {
      add(
          what,
          format("at least %.2f", wanted),
          format("%.2f", measured.median()),
          measured.median() >= wanted);
    }
  }

  private void atMost(String what, double wanted, Summary measured) {
    if (measured.isKnown()) {
      add(
          what,
          format("at most %.2f", wanted),
          format("%.2f", measured.median()),
          measured.median() <= wanted);
    }
  }

  private void add(String what, String wanted, String measured, boolean reached) {
    table.add(what, wanted, measured, reached ? "yes" : "NO");
  }
}
