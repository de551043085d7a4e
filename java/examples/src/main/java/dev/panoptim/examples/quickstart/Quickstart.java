package dev.panoptim.examples.quickstart;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.BackendUnavailableException;
import dev.panoptim.backend.Backends;
import dev.panoptim.checkpoint.CheckpointException;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.examples.console.Interruption;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.schedule.Schedule;
import dev.panoptim.schedule.Scheduler;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

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

  /// As shells say it of SIGINT.
  private static final int INTERRUPTED = 130;

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

  @Option(names = "--threads", description = "For the model and the optimizer; 1 to 1024.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--schedule",
      description = "How the learning rate goes: one of ${COMPLETION-CANDIDATES}.")
  private ScheduleChoice.Kind schedule = ScheduleChoice.Kind.constant;

  @Option(
      names = "--warmup",
      description =
          "Steps at the beginning in which the learning rate rises; 0 or more, and fewer than"
              + " --steps.")
  private int warmup;

  @Option(names = "--steps", description = "Steps to train, 1 or more.")
  private int steps = 3000;

  @Option(names = "--seed", description = "The same seed gives the same run, bit by bit.")
  private long seed = 1;

  @Option(
      names = "--checkpoint",
      paramLabel = "DIR",
      description =
          "Save the whole training here, every N steps, at the end and at Ctrl-C; the last three"
              + " checkpoints stay.")
  private Path checkpoint;

  @Option(
      names = "--every",
      paramLabel = "N",
      description = "Steps between checkpoints; 1 or more.")
  private int every = 500;

  @Option(
      names = "--resume",
      description =
          "Go on from the latest checkpoint, if there is one, with the bits of a run that was never"
              + " interrupted. Text, seed, optimizer and schedule (which depends on --steps) must"
              + " be the same; backend and threads need not.")
  private boolean resume;

  @Spec private CommandSpec spec;

  @Option(names = "--out", description = "Where the picture of the loss goes.")
  private Path out = Path.of("java", "examples", "target", "quickstart", "loss.png");

  /// The backend stands in the table at the end; its log line would only interrupt. Held, for the
  /// log manager forgets the level of a logger that nobody holds.
  private static final Logger BACKEND_LOG = Logger.getLogger(Backends.class.getName());

  private final PrintStream console = System.out;

  /// Runs the program and ends the process: 0 when all went well, 2 on bad options, input or
  /// checkpoints, 130 when it was interrupted.
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    BACKEND_LOG.setLevel(Level.WARNING);
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Quickstart())
        .setParameterExceptionHandler(
            (exception, arguments) ->
                refuse(
                    exception.getCommandLine(),
                    exception.getMessage() + " (--help lists the options)"))
        .setExecutionExceptionHandler(
            (exception, commandLine, result) -> {
              if (exception instanceof IllegalArgumentException
                  || exception instanceof BackendUnavailableException
                  || exception instanceof CheckpointException
                  || exception instanceof UncheckedIOException) {
                return refuse(commandLine, exception.getMessage());
              }
              throw exception;
            });
  }

  private static int refuse(CommandLine commandLine, String why) {
    commandLine.getErr().println("quickstart: " + why.lines().findFirst().orElse(""));
    return USAGE;
  }

  @Override
  public Integer call() {
    requirePositive("--threads", threads);
    if (threads > Backend.MOST_THREADS) {
      throw new IllegalArgumentException(
          "--threads is " + threads + ", but must be from 1 to " + Backend.MOST_THREADS);
    }
    requirePositive("--steps", steps);
    requirePositive("--every", every);
    if (resume && checkpoint == null) {
      throw new IllegalArgumentException("--resume needs --checkpoint, which says from where");
    }
    LossCurve.requireWritable(out);
    byte[] text = texts.isEmpty() ? Corpus.sources(Path.of("")) : Corpus.read(texts);
    Corpus corpus = Corpus.of(text);
    OptimizerChoice choice = new OptimizerChoice(optimizer, learningRate, weightDecay, threads);
    Schedule rates = new ScheduleChoice(schedule, warmup).over(steps);
    Optional<SavedRun> saved =
        Optional.ofNullable(checkpoint)
            .map(directory -> new SavedRun(directory, every, settings(choice, rates, corpus)));
    Backend chosen = Backends.named(backend);
    try (Interruption interruption = new Interruption();
        Parameters parameters = MODEL.newParameters(seed);
        Optimizer built = choice.build(parameters, chosen)) {
      Scheduler scheduler =
          Scheduler.builder(built).drive(Hyperparameter.LEARNING_RATE, rates).build();
      Training training = Training.of(built).withScheduler(scheduler);
      int first = firstStep(saved, training);
      int recorded = Math.min(Math.max(0, steps - first + 1), REPLAYED_STEPS);
      try (Trainer trainer = new Trainer(MODEL, parameters, training, corpus, seed, threads);
          Recording recording = new Recording(MODEL, parameters, recorded)) {
        describe(choice, rates, corpus);
        LossCurve curve = new LossCurve(first - 1, choice + ", " + chosen.name());
        int last = train(first, parameters, trainer, recording, curve, saved, interruption);
        if (last < steps) {
          sayHowToResume(last, saved);
          return INTERRUPTED;
        }
        show(choice, chosen, trainer);
        if (recorded > 0) {
          replay(choice, recording);
        }
      }
    }
    return 0;
  }

  /// What a run that continues another must have in common with it.
  private Map<String, String> settings(OptimizerChoice choice, Schedule rates, Corpus corpus) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("text", "%08x".formatted(corpus.checksum()));
    settings.put("seed", Long.toString(seed));
    settings.put("optimizer", choice.toString());
    settings.put("schedule", rates.toString());
    return settings;
  }

  /// The step that comes first: 1, or the one after the latest checkpoint.
  private int firstStep(Optional<SavedRun> saved, Training training) {
    if (saved.isEmpty()) {
      return 1;
    }
    if (!resume) {
      saved.get().requireNone();
      return 1;
    }
    Optional<Long> last = saved.get().resume(training);
    console.println(
        last.map(step -> "Continuing after step " + step)
            .orElse("There is no checkpoint in " + saved.get() + " yet: starting anew"));
    return Math.toIntExact(last.orElse(0L) + 1);
  }

  private static void requirePositive(String option, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(option + " is " + value + ", but must be 1 or more");
    }
  }

  private void describe(OptimizerChoice choice, Schedule rates, Corpus corpus) {
    console.printf(
        Locale.ROOT,
        "Training on %,d bytes, %,d held out; %s%s%n",
        corpus.training().length,
        corpus.validation().length,
        choice,
        schedule == ScheduleChoice.Kind.constant && warmup == 0 ? "" : ", " + rates);
  }

  /// @return the last step that was made: fewer than asked for if the user has had enough
  private int train(
      int first,
      Parameters parameters,
      Trainer trainer,
      Recording recording,
      LossCurve curve,
      Optional<SavedRun> saved,
      Interruption interruption) {
    double before = trainer.validationLoss();
    curve.addValidation(before);
    double after = before;
    int step = first - 1;
    int savedAt = step;
    long start = System.nanoTime();
    try (Progress progress = new Progress(console, first - 1, steps)) {
      while (step < steps && !interruption.isRequested()) {
        step++;
        curve.addTraining(trainer.step(step));
        recording.record(parameters);
        progress.update(step, curve.recentTraining(), trainer.optimizerNanos());
        if (step == steps || step % Math.max(1, steps / VALIDATIONS) == 0) {
          after = trainer.validationLoss();
          curve.addValidation(after);
        }
        if (saved.isPresent() && saved.get().isDue(step)) {
          saved.get().save(trainer.training(), step);
          savedAt = step;
        }
      }
    }
    if (saved.isPresent() && savedAt < step) {
      saved.get().save(trainer.training(), step);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    int made = step - first + 1;
    // A process that is ending cannot draw: Java's graphics would add a shutdown hook.
    boolean drawn = made > 0 && !interruption.isRequested();
    if (drawn) {
      curve.save(out);
    }
    console.println();
    row("validation before", "%.3f bits per byte", before);
    row("validation after", "%.3f bits per byte", after);
    row("training", "%d steps in %.1f s, %.0f steps a second", made, seconds, made / seconds);
    row("optimizer's share", "%.2f%% of the time", trainer.optimizerNanos() / seconds / 1e7);
    if (drawn) {
      row("loss curve", "%s", out);
    }
    saved.ifPresent(run -> row("checkpoints", "%s", run));
    return step;
  }

  private void sayHowToResume(int last, Optional<SavedRun> saved) {
    console.printf(Locale.ROOT, "%nInterrupted after step %s of %s", last, steps);
    if (saved.isEmpty()) {
      console.println("; with --checkpoint DIR it could go on from here.");
      return;
    }
    List<String> arguments = new ArrayList<>(spec.commandLine().getParseResult().originalArgs());
    if (!resume) {
      arguments.add("--resume");
    }
    console.printf(
        Locale.ROOT,
        ". Go on from here with%n  mvn -q -Pquickstart -Dquickstart.args=\"%s\"%n",
        arguments.stream()
            .map(each -> each.contains(" ") ? "'" + each + "'" : each)
            .collect(Collectors.joining(" ")));
  }

  private void show(OptimizerChoice choice, Backend chosen, Trainer trainer) {
    row("backend", "%s", chosen.name() + ", " + chosen.describe());
    console.printf(Locale.ROOT, "%n%s bytes that the model makes up:%n", GENERATED_BYTES);
    console.println(readable(trainer.generate(GENERATED_BYTES, seed)));
  }

  private void replay(OptimizerChoice choice, Recording recording) {
    List<Recording.Replay> replays = recording.replayAll(choice);
    console.printf(
        Locale.ROOT, "%nThe gradients of the first %s steps, replayed:%n", recording.steps());
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
              : String.format(Locale.ROOT, "\\x%02x", each));
    }
    return text.toString();
  }
}
