package dev.panoptim.bench;

import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Tier;
import dev.panoptim.bench.report.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Runs the benchmarks and writes a report of them.
public final class BenchMain {
  private static final Path FOLDER = Path.of("bench", "target", "report");
  private static final String LARGE = "33554432";

  private final boolean quick;
  private final List<RunResult> results = new ArrayList<>();

  private BenchMain(boolean quick) {
    this.quick = quick;
  }

  /// Without arguments, everything; otherwise what the arguments say, which are those of JMH's own
  /// command line.
  ///
  /// The system property `quick` makes the run short, `peers` adds what compares with other
  /// libraries, and `panoptim.python` names a Python with PyTorch, which is one of them.
  public static void main(String[] arguments)
      throws RunnerException, IOException, CommandLineOptionException {
    BenchMain main = new BenchMain(Boolean.getBoolean("quick"));
    if (arguments.length > 0) {
      main.run(new OptionsBuilder().parent(new CommandLineOptions(arguments)));
    } else {
      main.runOurs();
      if (Boolean.getBoolean("peers")) {
        main.runPeers();
      }
    }
    System.out.println(Report.write(main.results, List.of(jvmArguments()), FOLDER));
    System.out.printf(Locale.ROOT, "Written to %s%n", FOLDER.resolve("index.html"));
  }

  private void runOurs() throws RunnerException {
    runSteps();
    run(
        pairs(BandwidthBenchmark.class, quick ? 10 : 15)
            .param(
                "optimizer",
                quick
                    ? names(Stream.of(Contender.SGD_MOMENTUM, Contender.ADAMW))
                    : names(Stream.of(Contender.values()))));
    run(
        pairs(CallersBenchmark.class, quick ? 4 : 10)
            .param("millis", quick ? "400" : "1000")
            .param(
                "kind", quick ? new String[] {"platform"} : new String[] {"platform", "virtual"}));
    run(pairs(EpilogueBenchmark.class, quick ? 5 : 10).param("against", EpilogueBenchmark.PASSES));
    run(pairs(ManyTensorsBenchmark.class, quick ? 5 : 10));
    run(times(CallOverheadBenchmark.class));
    if (!quick) {
      run(pairs(ConstantsBenchmark.class, 10));
      run(pairs(PausedStepsBenchmark.class, 2));
    }
  }

  private void runSteps() throws RunnerException {
    String[] cached = {"16", "4096", "65536"};
    String[] sizes = {"16", "256", "4096", "65536", "1048576", LARGE};
    String adamW = Contender.ADAMW.name();
    run(
        steps("native", quick ? cached : sizes)
            .param("optimizer", quick ? new String[] {adamW} : names(Stream.of(Contender.values())))
            .param("threads", "1"));
    for (String backend : new String[] {"vector", "scalar"}) {
      run(steps(backend, quick ? cached : sizes).param("optimizer", adamW).param("threads", "1"));
    }
    if (quick) {
      return;
    }
    run(
        steps("native", cached)
            .param("optimizer", adamW)
            .param("tier", Backends.tiers().stream().map(Tier::label).toArray(String[]::new))
            .param("threads", "1"));
    run(
        steps("native", "65536", "1048576", LARGE)
            .param("optimizer", adamW)
            .param("threads", moreThreads()));
  }

  private ChainedOptionsBuilder steps(String backend, String... elements) {
    return times(StepBenchmark.class).param("backend", backend).param("elements", elements);
  }

  /// 2, 4 and so on, and as many as there are processors.
  private static String[] moreThreads() {
    int processors = Runtime.getRuntime().availableProcessors();
    List<String> counts = new ArrayList<>();
    for (int count = 2; count < processors; count *= 2) {
      counts.add(Integer.toString(count));
    }
    counts.add(Integer.toString(Math.max(2, processors)));
    return counts.toArray(String[]::new);
  }

  private void runPeers() throws RunnerException {
    if (Peer.PYTORCH.available()) {
      run(
          pairs(EpilogueBenchmark.class, quick ? 5 : 10)
              .param("against", EpilogueBenchmark.PYTORCH));
    }
    for (Peer peer : Peer.values()) {
      if (!peer.available()) {
        continue;
      }
      List<Contender> contenders = Arrays.stream(Contender.values()).filter(peer::has).toList();
      run(
          peer(peer, quick ? List.of(peer.adam()) : contenders)
              .param("tensors", "1x" + LARGE)
              .param("peerThreads", "2"));
      run(
          peer(peer, List.of(peer.adam()))
              .param("tensors", "5000x1000", "1000x256", "1x256")
              .param("peerThreads", quick ? new String[] {"2"} : new String[] {"1", "2"}));
    }
  }

  private ChainedOptionsBuilder peer(Peer peer, List<Contender> contenders) {
    return pairs(PeerBenchmark.class, quick ? 5 : 10)
        .param("peer", peer.name())
        .param("optimizer", names(contenders.stream()));
  }

  private static String[] names(Stream<Contender> contenders) {
    return contenders.map(Contender::name).toArray(String[]::new);
  }

  private void run(ChainedOptionsBuilder options) throws RunnerException {
    results.addAll(
        new Runner(options.shouldFailOnError(true).jvmArgs(jvmArguments()).build()).run());
  }

  private ChainedOptionsBuilder times(Class<?> benchmark) {
    return options(benchmark)
        .warmupIterations(quick ? 3 : 5)
        .measurementIterations(5)
        .warmupTime(TimeValue.milliseconds(200))
        .measurementTime(TimeValue.milliseconds(quick ? 100 : 200))
        .addProfiler(GCProfiler.class);
  }

  private ChainedOptionsBuilder pairs(Class<?> benchmark, int iterations) {
    return options(benchmark).warmupIterations(iterations / 4).measurementIterations(iterations);
  }

  private ChainedOptionsBuilder options(Class<?> benchmark) {
    return new OptionsBuilder()
        .include(benchmark.getName() + "\\.")
        .forks(quick ? 1 : 3)
        .verbosity(VerboseMode.SILENT);
  }

  private static String[] jvmArguments() {
    return new String[] {
      "--enable-native-access=ALL-UNNAMED",
      "--add-modules=jdk.incubator.vector",
      "--sun-misc-unsafe-memory-access=allow",
      inherited(BenchLibrary.PROPERTY),
      inherited(Peer.PYTHON)
    };
  }

  private static String inherited(String property) {
    return "-D" + property + "=" + System.getProperty(property, "");
  }
}
