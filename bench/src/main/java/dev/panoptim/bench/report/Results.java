package dev.panoptim.bench.report;

import dev.panoptim.bench.BandwidthBenchmark;
import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.Peer;
import dev.panoptim.bench.PeerBenchmark;
import dev.panoptim.bench.SmallStepBenchmark;
import dev.panoptim.bench.StepBenchmark;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/// Queries over the measurements of all runs.
final class Results {
  /// Parameters for which the fixed costs of a step dominate.
  static final int SMALL = 16;

  /// Parameters for which all data of a step stays in a cache.
  static final int IN_CACHE = 4096;

  /// Parameters for which hardly any data of a step stays in a cache.
  static final int LARGE = 33_554_432;

  private final List<Measurement> all;

  Results(Measurements measurements) {
    all = measurements.runs().stream().flatMap(each -> each.measurements().stream()).toList();
  }

  List<Measurement> of(Class<?> benchmark) {
    return of(benchmark, each -> true);
  }

  List<Measurement> of(Class<?> benchmark, Predicate<Measurement> which) {
    return all.stream().filter(each -> each.isOf(benchmark)).filter(which).toList();
  }

  /// The steps of an optimizer in the best tier of a backend.
  List<Measurement> steps(BenchedOptimizer optimizer, String backend, int threads) {
    return of(
        StepBenchmark.class,
        each ->
            each.has("optimizer", optimizer)
                && each.has("backend", backend)
                && each.has("tier", StepBenchmark.BEST)
                && each.has("threads", threads));
  }

  /// The nanoseconds of a step; unknown if not measured.
  Summary step(BenchedOptimizer optimizer, String backend, int threads, int elements) {
    return steps(optimizer, backend, threads).stream()
        .filter(each -> each.has("elements", elements))
        .map(Measurement::score)
        .findFirst()
        .orElse(Summary.UNKNOWN);
  }

  /// The nanoseconds of AdamW's step over 16 parameters; unknown if not measured.
  ///
  /// @param step the step count at which it was measured
  Summary smallStep(String backend, String step) {
    return of(
            SmallStepBenchmark.class,
            each ->
                each.has("elements", SMALL)
                    && each.has("backend", backend)
                    && each.has("step", step))
        .stream()
        .map(Measurement::score)
        .findFirst()
        .orElse(Summary.UNKNOWN);
  }

  /// Time of a large step / time of a kernel that only moves the same bytes; unknown if not
  /// measured.
  Summary toLimit(BenchedOptimizer optimizer) {
    return of(
            BandwidthBenchmark.class,
            each ->
                each.has("optimizer", optimizer)
                    && each.has("elements", LARGE)
                    && each.has("threads", 2))
        .stream()
        .map(Measurement::stepToOther)
        .findFirst()
        .orElse(Summary.UNKNOWN);
  }

  /// Time of another library's step / time of Panoptim's, at the number of threads with which the
  /// other library is fastest; unknown if not measured.
  ///
  /// @param tensors as in [PeerBenchmark#tensors]
  Summary peer(BenchedOptimizer optimizer, Peer peer, String tensors) {
    return of(
            PeerBenchmark.class,
            each ->
                each.has("optimizer", optimizer)
                    && each.has("peer", peer)
                    && each.has("tensors", tensors))
        .stream()
        .min(Comparator.comparingDouble(each -> each.other().median()))
        .map(Measurement::otherToStep)
        .orElse(Summary.UNKNOWN);
  }
}
