package dev.panoptim.bench.report;

import dev.panoptim.bench.BandwidthBenchmark;
import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.StepBenchmark;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import org.openjdk.jmh.results.RunResult;

/// All that a run of the benchmarks gave, and questions to it.
final class Results {
  /// Elements of which all that a step touches stays in a cache.
  static final int IN_CACHE = 4096;

  /// Elements of which next to nothing does.
  static final int LARGE = 33_554_432;

  private final List<Result> all;

  Results(Collection<RunResult> runs) {
    all = runs.stream().map(Result::new).toList();
  }

  List<Result> of(Class<?> benchmark) {
    return all.stream().filter(each -> each.isOf(benchmark)).toList();
  }

  /// Those of a benchmark with certain parameters.
  List<Result> of(Class<?> benchmark, Predicate<Result> which) {
    return of(benchmark).stream().filter(which).toList();
  }

  /// The steps of an optimizer, in the best tier of a backend.
  List<Result> steps(BenchedOptimizer optimizer, String backend, int threads) {
    return of(
        StepBenchmark.class,
        each ->
            each.has("optimizer", optimizer)
                && each.has("backend", backend)
                && each.has("tier", StepBenchmark.BEST)
                && each.has("threads", threads));
  }

  /// The nanoseconds of a step, unknown if it was not made.
  Summary step(BenchedOptimizer optimizer, String backend, int threads, int elements) {
    return steps(optimizer, backend, threads).stream()
        .filter(each -> each.has("elements", elements))
        .map(Result::primary)
        .findFirst()
        .orElse(Summary.UNKNOWN);
  }

  /// A large step's time to that of the kernel that only moves its bytes.
  Summary toLimit(BenchedOptimizer optimizer) {
    return of(
            BandwidthBenchmark.class,
            each ->
                each.has("optimizer", optimizer)
                    && each.has("elements", LARGE)
                    && each.has("threads", 2))
        .stream()
        .map(Result::stepToOther)
        .findFirst()
        .orElse(Summary.UNKNOWN);
  }
}
