package dev.panoptim.examples.serving;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.examples.console.Interruption;
import dev.panoptim.examples.console.Machine;
import dev.panoptim.examples.console.Programs;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Measures the latency of a prediction server while its model learns, in several modes.
@Command(
    name = "serving",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description =
        "Serves predictions over HTTP while a thread learns, and measures the latency of requests:"
            + " without a learner, with a publication, with a lock, and with parameters that are"
            + " read while they change.")
public final class Serving implements Callable<Integer> {
  private static final int MOST_ELEMENTS = 1 << 28;
  private static final double HIGHEST_RATE = 100_000;
  private static final double MOST_SECONDS = 3600;
  private static final int MOST_ROUNDS = 100;
  private static final int MOST_REQUESTS = 1_000_000;

  @Option(
      names = "--elements",
      description = "Floats of the model, all of which a prediction reads: a multiple of 2048.")
  private int elements = 4_194_304;

  @Option(
      names = "--steps-per-second",
      description = "Rate of the learner; 0 for steps back to back.")
  private double stepsPerSecond = 10;

  @Option(
      names = "--requests-per-second",
      description = "Rate of requests, independent of the latency.")
  private double requestsPerSecond = 50;

  @Option(names = "--seconds", description = "Duration of a round.")
  private double seconds = 5;

  @Option(names = "--rounds", description = "Measured rounds of each mode; the modes alternate.")
  private int rounds = 3;

  @Option(names = "--seed", description = "Seed of weights, examples and requests.")
  private long seed = 1;

  @Option(
      names = "--markdown",
      paramLabel = "FILE",
      description = "Also write the table to this file, as Markdown.")
  private Path markdown;

  /// The backend is printed with the settings, so its log message is not needed. The logger is
  /// held, because the log manager forgets the level of an unreachable logger.
  private static final Logger BACKEND_LOG = Logger.getLogger(Backends.class.getName());

  private final PrintStream console = System.out;

  /// Runs the program and ends the process: 0 on success, 1 if requests were not answered or a
  /// publication was torn, 2 on wrong options, 130 when interrupted.
  public static void main(String[] arguments) {
    BACKEND_LOG.setLevel(Level.WARNING);
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return Programs.commandLine(new Serving());
  }

  @Override
  public Integer call() throws IOException {
    Round.Settings settings = settings();
    // A file that cannot be written is refused before the rounds.
    write("", StandardOpenOption.APPEND);
    describe(settings);
    Report report = new Report();
    try (Interruption interruption = new Interruption()) {
      if (!measure(settings, report, interruption)) {
        console.println("Interrupted: the measurement is incomplete.");
        return Programs.INTERRUPTED;
      }
    }
    Table table = report.table();
    console.println();
    console.print(table.text());
    console.println();
    explain();
    write(table.markdown(), StandardOpenOption.TRUNCATE_EXISTING);
    return exitStatus(report);
  }

  private Round.Settings settings() {
    require("--elements", elements, Ensemble.SMALLEST, MOST_ELEMENTS);
    if (elements % Ensemble.SMALLEST != 0) {
      throw new IllegalArgumentException(
          "--elements is %s, but must be a multiple of %s".formatted(elements, Ensemble.SMALLEST));
    }
    require("--steps-per-second", stepsPerSecond, 0, HIGHEST_RATE);
    if (stepsPerSecond > 0) {
      // The learner may have to end a pause of one and a half periods.
      require("--steps-per-second", stepsPerSecond, 0.01, HIGHEST_RATE);
    }
    require("--requests-per-second", requestsPerSecond, 0.1, HIGHEST_RATE);
    require("--seconds", seconds, 0.1, MOST_SECONDS);
    require("--rounds", rounds, 1, MOST_ROUNDS);
    double requests = Math.ceil(requestsPerSecond * seconds);
    if (requests > MOST_REQUESTS) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "--requests-per-second and --seconds make %.0f requests a round, but must make at"
                  + " most %d",
              requests,
              MOST_REQUESTS));
    }
    return new Round.Settings(elements, stepsPerSecond, requestsPerSecond, (int) requests, seed);
  }

  private static void require(String option, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new IllegalArgumentException(
          "%s is %s, but must be from %s to %s"
              .formatted(option, plain(value), plain(least), plain(most)));
    }
  }

  private static String plain(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  /// @return whether all rounds have been completed
  private boolean measure(Round.Settings settings, Report report, Interruption interruption)
      throws IOException {
    int modes = Mode.values().length;
    try (Progress progress =
        new Progress(console, (long) settings.requests() * modes * (1 + rounds))) {
      for (int round = 0; round <= rounds; round++) {
        for (Mode mode : Mode.values()) {
          String which = round == 0 ? "warm-up" : "round %s of %s".formatted(round, rounds);
          progress.begin(which + ", " + mode);
          Round.Result result =
              new Round(mode, settings).run(interruption::isRequested, progress::requestSent);
          if (interruption.isRequested()) {
            return false;
          }
          if (round > 0) {
            report.add(mode, result);
          }
        }
      }
    }
    return true;
  }

  private void describe(Round.Settings settings) {
    Backend backend = Backends.auto();
    console.printf(
        Locale.ROOT,
        "%,d floats (%,.1f MB), all read by each prediction; AdamW on one thread, backend %s, %s%n",
        elements,
        elements * (double) Float.BYTES / 1e6,
        backend.name(),
        backend.describe().lines().findFirst().orElse("").split(";")[0]);
    console.printf(
        Locale.ROOT,
        "%s requests/s for %s s a round (%,d requests), %d rounds of each mode; %s%n",
        plain(requestsPerSecond),
        plain(seconds),
        settings.requests(),
        rounds,
        stepsPerSecond == 0 ? "steps back to back" : plain(stepsPerSecond) + " steps/s");
    console.println(Machine.describe());
    for (Mode each : Mode.values()) {
      console.printf(Locale.ROOT, "  %-12s %s%n", each, each.description());
    }
    console.println();
  }

  private void explain() {
    console.println(
        "Latencies are measured from the scheduled time of a request. Latencies and rates are"
            + " medians over rounds,");
    console.println(
        "counts are sums. The learner is busy during gradients, steps and waits for locks. - means"
            + " too few requests.");
  }

  private int exitStatus(Report report) {
    boolean good = true;
    if (report.failed() > 0) {
      console.printf(Locale.ROOT, "%,d requests were not answered.%n", report.failed());
      good = false;
    }
    if (report.torn(Mode.PUBLICATION) > 0) {
      console.println("A publication was torn: please report this.");
      good = false;
    }
    return good ? 0 : 1;
  }

  private void write(String text, StandardOpenOption how) {
    if (markdown == null) {
      return;
    }
    try {
      Path folder = markdown.toAbsolutePath().getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      Files.writeString(markdown, text, StandardOpenOption.CREATE, StandardOpenOption.WRITE, how);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "--markdown " + markdown + " cannot be written: " + e.getMessage(), e);
    }
  }
}
