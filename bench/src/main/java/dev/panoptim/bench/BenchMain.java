package dev.panoptim.bench;

import dev.panoptim.backend.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

/// Runs the benchmarks and writes a report: what a step takes on each backend and with each
/// optimizer, how near that is to the memory's limit, and how far from PyTorch where there is one.
public final class BenchMain {
  private static final Path REPORT = Path.of("bench", "target", "report", "report.md");
  private static final String LARGE = "33554432";

  private final boolean quick;
  private final boolean pyTorch = !System.getProperty(PyTorchPeer.PROPERTY, "").isEmpty();
  private final List<RunResult> results = new ArrayList<>();

  private BenchMain(boolean quick) {
    this.quick = quick;
  }

  /// Without arguments, everything and a report; otherwise what the arguments say, which are those
  /// of JMH's own command line. The system property `quick` makes the run short, `panoptim.python`
  /// names a Python with PyTorch to compare with.
  public static void main(String[] arguments)
      throws RunnerException, IOException, CommandLineOptionException {
    if (arguments.length > 0) {
      new Runner(
              new OptionsBuilder()
                  .parent(new CommandLineOptions(arguments))
                  .jvmArgs(jvmArguments())
                  .build())
          .run();
    } else {
      new BenchMain(Boolean.getBoolean("quick")).run();
    }
  }

  private void run() throws RunnerException, IOException {
    for (String backend : List.of("native", "vector", "scalar")) {
      steps(backend, "1", quick ? new String[] {"16", "4096", "65536"} : sizes());
      if (!quick) {
        steps(backend, "2", "65536", LARGE);
      }
    }
    run(
        times(StepBenchmark.class, quick ? 1 : 3, quick ? 2 : 5)
            .param("optimizer", names(Stream.of(Contender.values())))
            .param("backend", "native")
            .param("threads", "1")
            .param("elements", "4096"));
    run(
        pairs(LimitBenchmark.class, quick ? 1 : 5, quick ? 20 : 40)
            .param("optimizer", names(Stream.of(Contender.values()))));
    for (int callers : new int[] {1, 16}) {
      run(times(CallersBenchmark.class, quick ? 1 : 3, 2).threads(callers));
    }
    run(
        pairs(EpilogueBenchmark.class, quick ? 1 : 3, quick ? 10 : 20)
            .param(
                "against", pyTorch ? new String[] {"passes", "pytorch"} : new String[] {"passes"}));
    if (pyTorch) {
      run(
          pairs(PyTorchBenchmark.class, quick ? 1 : 3, quick ? 5 : 10)
              .param(
                  "optimizer",
                  names(Stream.of(Contender.values()).filter(each -> each.inPyTorch() != null))));
      run(pairs(ManyTensorsBenchmark.class, quick ? 1 : 3, 10));
    }
    String report = new Report(results).markdown(Backends.describe());
    Files.createDirectories(REPORT.getParent());
    Files.writeString(REPORT, report);
    System.out.println(report);
    System.out.printf(Locale.ROOT, "Written to %s%n", REPORT);
  }

  private static String[] sizes() {
    return new String[] {"16", "4096", "65536", LARGE};
  }

  private static String[] names(Stream<Contender> contenders) {
    return contenders.map(Contender::name).toArray(String[]::new);
  }

  private void steps(String backend, String threads, String... elements) throws RunnerException {
    run(
        times(StepBenchmark.class, quick ? 1 : 3, quick ? 4 : 5)
            .param("optimizer", Contender.ADAMW.name())
            .param("backend", backend)
            .param("threads", threads)
            .param("elements", elements));
  }

  private void run(ChainedOptionsBuilder options) throws RunnerException {
    results.addAll(new Runner(options.build()).run());
  }

  private ChainedOptionsBuilder times(Class<?> benchmark, int forks, int warmups) {
    return options(benchmark)
        .forks(forks)
        .warmupIterations(warmups)
        .measurementIterations(quick ? 5 : 10)
        .warmupTime(TimeValue.milliseconds(quick ? 500 : 1000))
        .measurementTime(TimeValue.milliseconds(quick ? 300 : 1000))
        .addProfiler(GCProfiler.class);
  }

  private static ChainedOptionsBuilder pairs(Class<?> benchmark, int forks, int iterations) {
    return options(benchmark)
        .forks(forks)
        .warmupIterations(iterations / 4)
        .measurementIterations(iterations);
  }

  private static ChainedOptionsBuilder options(Class<?> benchmark) {
    return new OptionsBuilder()
        .include(benchmark.getName())
        .verbosity(VerboseMode.SILENT)
        .shouldFailOnError(true)
        .jvmArgs(jvmArguments());
  }

  private static String[] jvmArguments() {
    return new String[] {
      "--enable-native-access=ALL-UNNAMED",
      "--add-modules=jdk.incubator.vector",
      "--sun-misc-unsafe-memory-access=allow",
      inherited(BenchLibrary.PROPERTY),
      inherited(PyTorchPeer.PROPERTY)
    };
  }

  private static String inherited(String property) {
    return "-D" + property + "=" + System.getProperty(property, "");
  }
}
