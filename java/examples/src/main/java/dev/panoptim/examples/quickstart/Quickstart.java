package dev.panoptim.examples.quickstart;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.BackendUnavailableException;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Trains a byte-level language model on text, shows what it learnt, and replays its gradients
/// through every backend.
@Command(
    name = "quickstart",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description =
        "Trains a byte-level neural language model with Panoptim, then replays the gradients of"
            + " its first steps through every backend and compares the bits.")
public final class Quickstart implements Callable<Integer> {
  private static final LanguageModel MODEL = new LanguageModel(16, 16, 192);
  private static final int REPLAYED_STEPS = 200;
  private static final int GENERATED_BYTES = 200;
  private static final int VALIDATIONS = 12;
  private static final int USAGE = 2;

  @CommandLine.Parameters(
      paramLabel = "FILE",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description =
          "Text to train on: files, or folders with all of their files. Default: the README, Java"
              + " and C++ sources below the working directory.")
  private List<Path> texts = List.of();

  @Option(names = "--optimizer", description = "One of ${COMPLETION-CANDIDATES}.")
  private OptimizerChoice.Kind optimizer = OptimizerChoice.Kind.adamw;

  @Option(
      names = "--learning-rate",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description = "Default: one that suits the optimizer, such as 0.002 for adamw.")
  private Double learningRate;

  @Option(names = "--weight-decay", description = "0 or more.")
  private double weightDecay = 0.01;

  @Option(names = "--backend", description = "auto, native, vector or scalar.")
  private String backend = "auto";

  @Option(names = "--threads", description = "For the model and the optimizer; 1 or more.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(names = "--steps", description = "Steps to train, 1 or more.")
  private int steps = 3000;

  @Option(names = "--seed", description = "The same seed gives the same run, bit by bit.")
  private long seed = 1;

  @Option(names = "--out", description = "Where the picture of the loss goes.")
  private Path out = Path.of("java", "examples", "target", "quickstart", "loss.png");

  /// The backend stands in the table at the end; its log line would only interrupt. Held, for the
  /// log manager forgets the level of a logger that nobody holds.
  private static final Logger BACKEND_LOG = Logger.getLogger(Backends.class.getName());

  private final PrintStream console = System.out;

  /// Runs the program and ends the process: 0 when all went well, 2 on bad options or input.
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    BACKEND_LOG.setLevel(Level.WARNING);
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Quickstart())
        .setParameterExceptionHandler(
            (exception, arguments) -> refuse(exception.getCommandLine(), exception))
        .setExecutionExceptionHandler(
            (exception, commandLine, result) -> {
              if (exception instanceof IllegalArgumentException
                  || exception instanceof BackendUnavailableException) {
                return refuse(commandLine, exception);
              }
              throw exception;
            });
  }

  private static int refuse(CommandLine commandLine, Exception why) {
    commandLine.getErr().println("quickstart: " + why.getMessage().lines().findFirst().orElse(""));
    return USAGE;
  }

  @Override
  public Integer call() {
    requirePositive("--threads", threads);
    requirePositive("--steps", steps);
    LossCurve.requireWritable(out);
    byte[] text = texts.isEmpty() ? Corpus.sources(Path.of("")) : Corpus.read(texts);
    Corpus corpus = Corpus.of(text);
    OptimizerChoice choice = new OptimizerChoice(optimizer, learningRate, weightDecay, threads);
    Backend chosen = Backends.named(backend);
    try (Parameters parameters = MODEL.newParameters(seed);
        Optimizer built = choice.build(parameters, chosen);
        Trainer trainer = new Trainer(MODEL, parameters, built, corpus, seed, threads);
        Recording recording = new Recording(MODEL, parameters, Math.min(steps, REPLAYED_STEPS))) {
      train(choice, chosen, corpus, parameters, trainer, recording);
      replay(choice, recording);
    }
    return 0;
  }

  private static void requirePositive(String option, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(option + " is " + value + ", but must be 1 or more");
    }
  }

  private void train(
      OptimizerChoice choice,
      Backend chosen,
      Corpus corpus,
      Parameters parameters,
      Trainer trainer,
      Recording recording) {
    console.printf(
        Locale.ROOT,
        "Training on %,d bytes, %,d held out; %s%n",
        corpus.training().length,
        corpus.validation().length,
        choice);
    LossCurve curve = new LossCurve();
    double before = trainer.validationLoss();
    curve.addValidation(before);
    double after = before;
    long start = System.nanoTime();
    try (Progress progress = new Progress(console, steps)) {
      for (int step = 1; step <= steps; step++) {
        curve.addTraining(trainer.step());
        recording.record(parameters);
        progress.update(step, curve.recentTraining(), trainer.optimizerNanos());
        if (step == steps || step % Math.max(1, steps / VALIDATIONS) == 0) {
          after = trainer.validationLoss();
          curve.addValidation(after);
        }
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    curve.save(out, choice + ", " + chosen.name());
    console.println();
    row("validation before", "%.3f bits per byte", before);
    row("validation after", "%.3f bits per byte", after);
    row("training", "%d steps in %.1f s, %.0f steps a second", steps, seconds, steps / seconds);
    row("optimizer's share", "%.2f%% of the time", trainer.optimizerNanos() / seconds / 1e7);
    row("backend", "%s", chosen.name() + ", " + chosen.describe());
    row("loss curve", "%s", out);
    console.printf("%n%d bytes that the model makes up:%n", GENERATED_BYTES);
    console.println(readable(trainer.generate(GENERATED_BYTES, seed)));
  }

  private void replay(OptimizerChoice choice, Recording recording) {
    List<Recording.Replay> replays = recording.replayAll(choice);
    console.printf("%nThe gradients of the first %d steps, replayed:%n", recording.steps());
    Recording.Replay reference = replays.getLast();
    boolean agree = true;
    for (Recording.Replay each : replays) {
      if (each.unavailable() != null) {
        row(each.backend(), "%s", each.unavailable());
      } else {
        agree &= each.agreesWith(reference);
        row(
            each.backend(),
            "%9.1f us a step, %s",
            each.microseconds(),
            each.agreesWith(reference) ? "same bits" : "OTHER BITS");
      }
    }
    console.println(
        agree
            ? "All of them agree in every bit of every parameter and state."
            : "They do not agree: please report this.");
  }

  private void row(String name, String format, Object... values) {
    console.printf(Locale.ROOT, "  %-18s %s%n", name, String.format(Locale.ROOT, format, values));
  }

  /// Line breaks stay; whatever else a terminal might not show is written as \xNN.
  private static String readable(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte each : bytes) {
      boolean plain = each == '\n' || (each >= ' ' && each <= '~');
      text.append(
          plain
              ? new String(new byte[] {each}, StandardCharsets.US_ASCII)
              : String.format("\\x%02x", each));
    }
    return text.toString();
  }
}
