package dev.panoptim.bench.report;

import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.CallersBenchmark;
import dev.panoptim.bench.CheckpointBenchmark;
import dev.panoptim.bench.EpilogueBenchmark;
import dev.panoptim.bench.Peer;
import dev.panoptim.bench.SmallStepBenchmark;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// The project's targets beside the measurements. A target without a measurement is left out.
final class Targets {
  static final String REACHED = "yes";
  static final String MISSED = "NO";

  private static final String ONE_LARGE = "1x" + Results.LARGE;
  private static final String SMALL_TENSORS = "1000x256";
  private static final String MEDIUM_TENSORS = "5000x1000";

  /// Below this median, a step allocates nothing. The rest are rare allocations of the Java virtual
  /// machine, spread over thousands of steps.
  private static final double NO_BYTES = 0.05;

  /// @param measure the quantity
  /// @param bound in words, such as `at most 1.05`
  /// @param measured its median
  record Target(String measure, String bound, String measured, boolean reached) {}

  private final Results results;
  private final List<Target> all = new ArrayList<>();

  private Targets(Results results) {
    this.results = results;
  }

  /// @param gpu the run on a GPU, or [GpuTable#NONE]
  static List<Target> of(Results results, GpuTable gpu) {
    Targets targets = new Targets(results);
    targets.addLimits();
    targets.addBackends();
    targets.addSmallSteps();
    targets.addEpilogue();
    targets.addCallers();
    targets.addCheckpoints();
    targets.addPeers();
    targets.addGpu(gpu);
    return targets.all;
  }

  private void addLimits() {
    String ratio = ", 33,554,432 parameters: time per step / time to move the same bytes";
    atMost("AdamW" + ratio, 1 / 0.95, results.toLimit(BenchedOptimizer.ADAMW));
    Arrays.stream(BenchedOptimizer.values())
        .filter(each -> results.toLimit(each).isKnown())
        .max(Comparator.comparingDouble(each -> results.toLimit(each).median()))
        .ifPresent(
            slowest ->
                atMost(
                    "slowest optimizer (" + slowest.label() + ")" + ratio,
                    1.15,
                    results.toLimit(slowest)));
  }

  private void addBackends() {
    for (int elements : new int[] {4096, 65536}) {
      double here = results.step(BenchedOptimizer.ADAMW, "native", 1, elements).median();
      String ratio = Numbers.format(" / native, %,d parameters, 1 thread: time per step", elements);
      atLeast(
          "scalar" + ratio,
          6,
          results.step(BenchedOptimizer.ADAMW, "scalar", 1, elements).times(1 / here));
      atLeast(
          "vector" + ratio,
          1,
          results.step(BenchedOptimizer.ADAMW, "vector", 1, elements).times(1 / here));
    }
  }

  private void addSmallSteps() {
    atMost(
        "native, 16 parameters, at step 10,000: time per step in ns",
        200,
        results.smallStep("native", SmallStepBenchmark.PUBLISHED));
    for (Measurement each :
        results.of(
            SmallStepBenchmark.class,
            each ->
                each.has("elements", Results.SMALL)
                    && each.has("step", SmallStepBenchmark.PUBLISHED))) {
      Summary allocated = each.summary(SmallStepBenchmark.HEAP_BYTES);
      add(
          each.param("backend") + ", 16 parameters: heap bytes per step",
          "0",
          allocated.median("%.1f"),
          allocated.median() < NO_BYTES);
    }
  }

  private void addEpilogue() {
    for (Measurement each : results.of(EpilogueBenchmark.class)) {
      atMost(
          "fused step / " + EpilogueSection.comparison(each) + ": time",
          each.has("against", EpilogueBenchmark.PASSES) ? 0.8 : 0.6,
          each.stepToOther());
    }
  }

  private void addCallers() {
    for (Measurement each : results.of(CallersBenchmark.class)) {
      atLeast(
          "%s %s Java threads at once / one: throughput"
              .formatted(each.param("callers"), each.param("kind")),
          0.8,
          each.otherToStep());
    }
  }

  private void addCheckpoints() {
    for (Measurement each :
        results.of(
            CheckpointBenchmark.class, each -> !each.has("action", CheckpointBenchmark.SNAPSHOT))) {
      String action = each.param("action") + " of 1 GiB";
      atMost(action + " / copy of the file with fsync: time", 1.3, each.stepToOther());
      double allocated = CheckpointsSection.allocatedMib(each);
      add(
          action + ": MiB allocated on the heap",
          "at most 16",
          Numbers.format("%.1f", allocated),
          allocated <= 16);
    }
  }

  private void addPeers() {
    addPeer(BenchedOptimizer.ADAMW, Peer.PYTORCH_FUSED, ONE_LARGE, 1 / 0.75);
    addPeer(BenchedOptimizer.ADAMW, Peer.LIBTORCH_FUSED, ONE_LARGE, 1 / 0.75);
    addPeer(BenchedOptimizer.ADAMW, Peer.LIBTORCH_STAGGERED, ONE_LARGE, 1);
    addPeer(BenchedOptimizer.ADAMW, Peer.PYTORCH_FUSED, MEDIUM_TENSORS, 15);
    addPeer(BenchedOptimizer.ADAMW, Peer.LIBTORCH_FUSED, MEDIUM_TENSORS, 15);
    addPeer(BenchedOptimizer.ADAMW, Peer.PYTORCH_FUSED, "1x256", 20);
    addPeer(BenchedOptimizer.ADAMW, Peer.LIBTORCH_FUSED, "1x256", 20);
    for (Peer peer : List.of(Peer.DJL, Peer.ND4J)) {
      addPeer(BenchedOptimizer.ADAM, peer, ONE_LARGE, 10);
      addPeer(BenchedOptimizer.ADAM, peer, SMALL_TENSORS, 100);
    }
    for (BenchedOptimizer each :
        List.of(BenchedOptimizer.RMSPROP, BenchedOptimizer.NADAM, BenchedOptimizer.ADADELTA)) {
      addPeer(each, Peer.PYTORCH, ONE_LARGE, 8);
    }
  }

  private void addPeer(BenchedOptimizer optimizer, Peer peer, String tensors, double bound) {
    atLeast(
        "%s / Panoptim, %s, %s elements: time per step"
            .formatted(peer.label(), optimizer.label(), Numbers.tensors(tensors)),
        bound,
        results.peer(optimizer, peer, tensors));
  }

  private void addGpu(GpuTable gpu) {
    GpuTable.Case large = new GpuTable.Case(GpuTable.ADAMW, 1, GpuTable.LARGEST);
    double share = gpu.row(large, GpuTable.PANOPTIM).share();
    if (!Double.isNaN(share)) {
      add(
          "GPU, AdamW, 1,000,000,000 parameters: bandwidth / bandwidth of a device copy",
          "at least 0.95",
          Numbers.format("%.3f", share),
          share >= 0.95);
    }
    addGpuPeer(gpu, large);
    addGpuPeer(gpu, new GpuTable.Case(GpuTable.ADAMW, GpuTable.MANY, GpuTable.MANY));
  }

  private void addGpuPeer(GpuTable gpu, GpuTable.Case what) {
    Summary ratio = gpu.ratio(what, what, GpuTable.TORCH_FUSED);
    if (ratio.isKnown()) {
      add(
          "GPU, AdamW, " + what.size() + " elements: Panoptim / PyTorch, fused: time per step",
          "at most 1.000",
          ratio.median("%.3f"),
          ratio.median() <= 1);
    }
  }

  private void atLeast(String measure, double bound, Summary measured) {
    addBound(measure, "at least", bound, measured, measured.median() >= bound);
  }

  private void atMost(String measure, double bound, Summary measured) {
    addBound(measure, "at most", bound, measured, measured.median() <= bound);
  }

  private void addBound(
      String measure, String kind, double bound, Summary measured, boolean reached) {
    if (measured.isKnown()) {
      add(measure, kind + Numbers.format(" %.2f", bound), measured.median("%.2f"), reached);
    }
  }

  private void add(String measure, String bound, String measured, boolean reached) {
    all.add(new Target(measure, bound, measured, reached));
  }
}
