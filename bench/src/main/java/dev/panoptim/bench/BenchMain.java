package dev.panoptim.bench;

import dev.panoptim.bench.report.Documents;
import dev.panoptim.bench.report.GpuTable;
import dev.panoptim.bench.report.Measurements;
import dev.panoptim.bench.report.Report;
import dev.panoptim.bench.report.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/// Runs benchmarks and writes a report of them.
public final class BenchMain {
  private static final Path FOLDER = Path.of("bench", "target", "report");

  /// Value of the system property `report.docs` with which nothing is measured.
  private static final String ONLY = "only";

  private BenchMain() {}

  /// Runs a suite, or the benchmarks that the arguments choose, which are those of JMH's own
  /// command line. The working directory is the project's root folder.
  ///
  /// System properties: `peers` chooses the suite that compares with other libraries; PyTorch is
  /// among them if `panoptim.python` names a Python that has it. `quick` makes either suite short.
  /// `report.docs` also updates the committed documents, see [Documents]; with the value `only`
  /// nothing is measured, and the documents are rewritten from the committed measurements.
  /// `report.gpu` names the table of a run on a GPU, which is added to the documents; nothing is
  /// measured then either.
  public static void main(String[] arguments)
      throws RunnerException, IOException, CommandLineOptionException {
    Documents documents = new Documents(Path.of("."));
    String docs = System.getProperty("report.docs", "false");
    String table = System.getProperty("report.gpu", "");
    if (!table.isEmpty()) {
      documents.addGpu(Path.of(table));
      write(documents.measurements(), documents.gpu());
      return;
    }
    // A malformed table is found before anything is measured.
    GpuTable gpu = documents.gpu();
    if (docs.equals(ONLY)) {
      documents.rewrite();
      write(documents.measurements(), gpu);
      return;
    }
    Suite suite = new Suite(Boolean.getBoolean("quick"));
    boolean peers = Boolean.getBoolean("peers");
    try {
      if (arguments.length > 0) {
        suite.run(new OptionsBuilder().parent(new CommandLineOptions(arguments)));
      } else if (peers) {
        new PeerSuite(suite).run();
      } else {
        new OwnSuite(suite).run();
      }
    } catch (RunnerException | RuntimeException e) {
      // The measurements made before the failure are not lost.
      write(new Measurements(List.of(run(suite, arguments, peers))), gpu);
      throw e;
    }
    Run run = run(suite, arguments, peers);
    write(new Measurements(List.of(run)), gpu);
    if (Boolean.parseBoolean(docs)) {
      documents.add(run);
    }
  }

  private static Run run(Suite suite, String[] arguments, boolean peers) {
    String chosen = String.join(" ", arguments);
    return Run.of(
        chosen.isEmpty() ? (peers ? "peers" : "own") : chosen,
        command(chosen, peers, suite.quick()),
        Arrays.stream(Suite.jvmArguments())
            .filter(each -> !each.startsWith("-Dpanoptim."))
            .toList(),
        suite.libraries(),
        suite.results());
  }

  /// The command that repeats a run.
  private static String command(String arguments, boolean peers, boolean quick) {
    StringBuilder command = new StringBuilder(peers ? "mvn -q -Pbench-peers" : "mvn -q -Pbench");
    if (peers && Peer.PYTORCH.available()) {
      command.append(" -Dpython=/path/to/python");
    }
    if (quick) {
      command.append(" -Dquick");
    }
    if (!arguments.isEmpty()) {
      command.append(" -Dbench.args=\"").append(arguments).append('"');
    }
    return command.toString();
  }

  private static void write(Measurements measurements, GpuTable gpu) throws IOException {
    System.out.println(Report.write(measurements, gpu, FOLDER));
    System.out.printf(Locale.ROOT, "Written to %s%n", FOLDER.resolve("index.html"));
  }
}
