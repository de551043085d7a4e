package dev.panoptim.bench;

import dev.panoptim.bench.report.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/// Runs benchmarks and writes a report of them.
public final class BenchMain {
  private static final Path FOLDER = Path.of("bench", "target", "report");

  private BenchMain() {}

  /// Without arguments, a suite; otherwise what the arguments say, which are those of JMH's own
  /// command line.
  ///
  /// The system property `peers` chooses the suite that compares with other libraries, of which
  /// PyTorch is one if `panoptim.python` names a Python with it; `quick` makes either short.
  public static void main(String[] arguments)
      throws RunnerException, IOException, CommandLineOptionException {
    Suite suite = new Suite(Boolean.getBoolean("quick"));
    try {
      if (arguments.length > 0) {
        suite.run(new OptionsBuilder().parent(new CommandLineOptions(arguments)));
      } else if (Boolean.getBoolean("peers")) {
        new PeerSuite(suite).run();
      } else {
        new OwnSuite(suite).run();
      }
    } finally {
      // What was measured before something failed is not lost.
      report(suite);
    }
  }

  private static void report(Suite suite) throws IOException {
    System.out.println(Report.write(suite.results(), List.of(Suite.jvmArguments()), FOLDER));
    System.out.printf(Locale.ROOT, "Written to %s%n", FOLDER.resolve("index.html"));
  }
}
