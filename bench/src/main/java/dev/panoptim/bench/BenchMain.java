package dev.panoptim.bench;

import dev.panoptim.backend.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Runs the benchmarks and writes a report: what a step takes on each backend, and how near to the
/// memory's limit.
public final class BenchMain {
  private static final Path REPORT = Path.of("bench", "target", "report", "report.md");
  private static final String LARGE = "33554432";

  private final boolean quick;
  private final List<RunResult> results = new ArrayList<>();

  private BenchMain(boolean quick) {
    this.quick = quick;
  }

  /// Arguments: none. The system property `quick` makes the run short.
  public static void main(String[] arguments) throws RunnerException, IOException {
    new BenchMain(Boolean.getBoolean("quick")).run();
  }

  private void run() throws RunnerException, IOException {
    for (String backend : List.of("native", "vector", "scalar")) {
      steps(backend, "1", quick ? new String[] {"16", "4096", "65536"} : sizes());
      if (!quick) {
        steps(backend, "2", "65536", LARGE);
      }
    }
    results.addAll(
        new Runner(
                options()
                    .include(LimitBenchmark.class.getName())
                    .forks(quick ? 2 : 5)
                    .warmupIterations(10)
                    .measurementIterations(40)
                    .build())
            .run());
    String report = new Report(results).markdown(Backends.describe());
    Files.createDirectories(REPORT.getParent());
    Files.writeString(REPORT, report);
    System.out.println(report);
    System.out.printf(Locale.ROOT, "Written to %s%n", REPORT);
  }

  private static String[] sizes() {
    return new String[] {"16", "4096", "65536", LARGE};
  }

  private void steps(String backend, String threads, String... elements) throws RunnerException {
    Collection<RunResult> run =
        new Runner(
                options()
                    .include(StepBenchmark.class.getName())
                    .param("backend", backend)
                    .param("threads", threads)
                    .param("elements", elements)
                    .forks(quick ? 1 : 3)
                    .warmupIterations(quick ? 4 : 5)
                    .measurementIterations(quick ? 5 : 10)
                    .warmupTime(TimeValue.milliseconds(quick ? 500 : 1000))
                    .measurementTime(TimeValue.milliseconds(quick ? 300 : 1000))
                    .addProfiler(GCProfiler.class)
                    .build())
            .run();
    results.addAll(run);
  }

  private static ChainedOptionsBuilder options() {
    return new OptionsBuilder()
        .verbosity(VerboseMode.SILENT)
        .jvmArgs(
            "--enable-native-access=ALL-UNNAMED",
            "--add-modules=jdk.incubator.vector",
            "--sun-misc-unsafe-memory-access=allow",
            "-D" + Traffic.PROPERTY + "=" + System.getProperty(Traffic.PROPERTY));
  }
}
