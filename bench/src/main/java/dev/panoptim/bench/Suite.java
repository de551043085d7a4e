package dev.panoptim.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Runs benchmarks one after the other and collects their results.
final class Suite {
  private final long start = System.nanoTime();
  private final boolean quick;
  private final List<RunResult> results = new ArrayList<>();

  Suite(boolean quick) {
    this.quick = quick;
  }

  /// Whether to run fewer benchmarks with less precision.
  boolean quick() {
    return quick;
  }

  List<RunResult> results() {
    return List.copyOf(results);
  }

  /// Names and versions of the other libraries that have been compared.
  List<String> libraries() {
    return results.stream()
        .map(RunResult::getParams)
        .filter(each -> !each.getBenchmark().contains(RowPeerBenchmark.class.getSimpleName()))
        .filter(each -> each.getParamsKeys().contains("peer"))
        .map(each -> Peer.valueOf(each.getParam("peer")).version())
        .distinct()
        .toList();
  }

  /// Runs benchmarks and prints their names, because a run may take minutes.
  void run(ChainedOptionsBuilder options) throws RunnerException {
    Options all = options.shouldFailOnError(true).jvmArgs(jvmArguments()).build();
    long minutes = TimeUnit.NANOSECONDS.toMinutes(System.nanoTime() - start);
    System.out.printf(
        Locale.ROOT,
        "%3d min  %s%n",
        minutes,
        String.join(", ", all.getIncludes()).replaceAll("\\\\Q.*\\.(\\w+)\\.\\\\E", "$1"));
    results.addAll(new Runner(all).run());
  }

  /// Options of a benchmark that measures the average time of calls.
  ChainedOptionsBuilder times(Class<?> benchmark) {
    return options(benchmark)
        .warmupIterations(4)
        .measurementIterations(5)
        .warmupTime(TimeValue.milliseconds(200))
        .measurementTime(TimeValue.milliseconds(quick ? 100 : 200))
        .addProfiler(GCProfiler.class);
  }

  /// Options of a benchmark that times two actions in turn.
  ///
  /// @param iterations number of pairs in each process
  ChainedOptionsBuilder pairs(Class<?> benchmark, int iterations) {
    return options(benchmark)
        .warmupIterations(Math.max(1, iterations / 4))
        .measurementIterations(iterations);
  }

  private ChainedOptionsBuilder options(Class<?> benchmark) {
    return new OptionsBuilder()
        .include(Pattern.quote(benchmark.getName() + "."))
        .forks(quick ? 1 : 3)
        .verbosity(VerboseMode.SILENT);
  }

  static String[] names(Stream<BenchedOptimizer> optimizers) {
    return optimizers.map(BenchedOptimizer::name).toArray(String[]::new);
  }

  /// Options of the Java virtual machines that run the benchmarks.
  static String[] jvmArguments() {
    return new String[] {
      "--enable-native-access=ALL-UNNAMED",
      "--add-modules=jdk.incubator.vector",
      "--sun-misc-unsafe-memory-access=allow",
      inherited(BenchLibrary.PROPERTY),
      inherited(OpenBlas.PROPERTY),
      inherited(Peer.PYTHON)
    };
  }

  private static String inherited(String property) {
    return "-D" + property + "=" + System.getProperty(property, "");
  }
}
