package dev.panoptim.bench;

import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Threading;
import dev.panoptim.backend.Tier;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;

/// Benchmarks of Panoptim's backends, beside each other and beside the machine's limits.
final class OwnSuite {
  static final String LARGE = "33554432";
  private static final String[] CACHED = {"4096", "65536"};
  private static final String[] SIZES = {"4096", "65536", "1048576", LARGE};
  private static final String ADAMW = BenchedOptimizer.ADAMW.name();

  private final Suite suite;

  OwnSuite(Suite suite) {
    this.suite = suite;
  }

  void run() throws RunnerException {
    boolean quick = suite.quick();
    runSteps();
    suite.run(suite.times(SmallStepBenchmark.class));
    suite.run(
        suite
            .pairs(BandwidthBenchmark.class, 10)
            .param(
                "optimizer",
                quick
                    ? Suite.names(Stream.of(BenchedOptimizer.SGD_MOMENTUM, BenchedOptimizer.ADAMW))
                    : Suite.names(Stream.of(BenchedOptimizer.values()))));
    suite.run(
        suite
            .pairs(CallersBenchmark.class, quick ? 4 : 10)
            .param("millis", quick ? "400" : "1000")
            .param(
                "kind", quick ? new String[] {"platform"} : new String[] {"platform", "virtual"}));
    suite.run(
        suite
            .pairs(EpilogueBenchmark.class, quick ? 5 : 10)
            .param("against", EpilogueBenchmark.PASSES));
    suite.run(suite.pairs(ManyTensorsBenchmark.class, quick ? 5 : 10));
    suite.run(suite.times(CallOverheadBenchmark.class));
    suite.run(suite.pairs(CheckpointBenchmark.class, quick ? 2 : 5));
    new RowSuite(suite).run();
    if (!quick) {
      suite.run(suite.pairs(PublicationBenchmark.class, 5));
      suite.run(suite.pairs(ConstantsBenchmark.class, 10));
    }
    runThreading();
  }

  private void runSteps() throws RunnerException {
    boolean quick = suite.quick();
    String[] sizes = quick ? CACHED : SIZES;
    suite.run(
        steps("native", "1", sizes)
            .param(
                "optimizer",
                quick ? new String[] {ADAMW} : Suite.names(Stream.of(BenchedOptimizer.values()))));
    for (String backend : new String[] {"vector", "scalar"}) {
      suite.run(steps(backend, "1", sizes).param("optimizer", ADAMW));
    }
    if (quick) {
      return;
    }
    suite.run(
        steps("native", "1", CACHED)
            .param("optimizer", ADAMW)
            .param("tier", Backends.tiers().stream().map(Tier::label).toArray(String[]::new)));
    for (String threads : moreThreads()) {
      suite.run(steps("native", threads, "65536", "1048576", LARGE).param("optimizer", ADAMW));
    }
  }

  private void runThreading() throws RunnerException {
    suite.run(threading().param("pauseMicros", "0").param("caller", ThreadingBenchmark.SPINS));
    suite.run(
        suite.quick()
            ? threading().param("pauseMicros", "100").param("caller", ThreadingBenchmark.SPINS)
            : threading().param("pauseMicros", ThreadingBenchmark.PAUSES));
  }

  private ChainedOptionsBuilder threading() {
    ChainedOptionsBuilder options =
        suite
            .pairs(ThreadingBenchmark.class, 5)
            .forks(1)
            .param("millis", suite.quick() ? "50" : "100");
    if (suite.quick()) {
      options.param("elements", "131072", "1048576");
    }
    return Threading.OPENMP.unavailableReason().isEmpty()
        ? options
        : options.param("threading", ThreadingBenchmark.ONE, ThreadingBenchmark.POOL);
  }

  private ChainedOptionsBuilder steps(String backend, String threads, String... elements) {
    return suite
        .times(StepBenchmark.class)
        .param("backend", backend)
        .param("threads", threads)
        .param("elements", elements);
  }

  /// 2, 4 and so on, up to the number of processors.
  private static List<String> moreThreads() {
    int processors = Runtime.getRuntime().availableProcessors();
    List<String> counts = new ArrayList<>();
    for (int count = 2; count < processors; count *= 2) {
      counts.add(Integer.toString(count));
    }
    counts.add(Integer.toString(Math.max(2, processors)));
    return counts;
  }
}
