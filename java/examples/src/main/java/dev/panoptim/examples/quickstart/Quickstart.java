package dev.panoptim.examples.quickstart;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.BackendUnavailableException;
import dev.panoptim.backend.Backends;
import dev.panoptim.checkpoint.CheckpointException;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.examples.console.Interruption;
import dev.panoptim.examples.console.Programs;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.schedule.Schedule;
import dev.panoptim.schedule.Scheduler;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// Trains a byte-level language model on text, shows what it has learned, and replays its gradients
/// on every backend.
@Command(
    name = "quickstart",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description =
        "Trains a byte-level neural language model with Panoptim, then replays the gradients of"
            + " its first steps on every backend and compares the bits.")
public final class Quickstart implements Callable<Integer> {
  static final LanguageModel MODEL = new LanguageModel(16, 16, 192);
  private static final int REPLAYED_STEPS = 200;

  /// The backend is printed in the table at the end, so its log message is not needed. The logger
  /// is held, because the log manager forgets the level of an unreachable logger.
  private static final Logger BACKEND_LOG = Logger.getLogger(Backends.class.getName());

  @Mixin private Options options = new Options();

  @Spec private CommandSpec spec;

  private final Output output = new Output(System.out);

  /// Runs the program and ends the process: 0 on success, 2 on wrong options, input or checkpoints,
  /// 130 when interrupted.
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    BACKEND_LOG.setLevel(Level.WARNING);
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return Programs.commandLine(
        new Quickstart(),
        BackendUnavailableException.class,
        CheckpointException.class,
        UncheckedIOException.class);
  }

  @Override
  public Integer call() {
    options.check();
    Corpus corpus = options.corpus();
    OptimizerChoice choice = options.optimizer();
    Schedule rates = options.schedule();
    Optional<SavedRun> saved = options.savedRun(corpus);
    Backend backend = Backends.named(options.backend);
    try (Interruption interruption = new Interruption();
        Parameters parameters = MODEL.newParameters(options.seed);
        Optimizer optimizer = choice.build(parameters, backend)) {
      Training training =
          Training.of(optimizer)
              .withScheduler(
                  Scheduler.builder(optimizer).drive(Hyperparameter.LEARNING_RATE, rates).build());
      int first = firstStep(saved, training);
      int recorded = Math.clamp(options.steps - first + 1, 0, REPLAYED_STEPS);
      try (Trainer trainer =
              new Trainer(MODEL, parameters, training, corpus, options.seed, options.threads);
          Recording recording = new Recording(MODEL, parameters, recorded)) {
        output.printTask(corpus, choice, options.isRateConstant() ? "" : ", " + rates);
        LossCurve curve = new LossCurve(first - 1, choice + ", " + backend.name());
        TrainingRun run = new TrainingRun(options, trainer, recording, curve, saved, interruption);
        TrainingRun.Result result = run.from(first, output);
        output.printResult(result, options.out, saved);
        if (result.lastStep() < options.steps) {
          output.printInterruption(
              result.lastStep(),
              options,
              saved.isPresent(),
              spec.commandLine().getParseResult().originalArgs());
          return Programs.INTERRUPTED;
        }
        output.printBackend(backend);
        output.printSample(trainer.generate(Output.GENERATED_BYTES, options.seed));
        if (recorded > 0) {
          output.printReplays(recording.steps(), recording.replayAll(choice));
        }
      }
    }
    return 0;
  }

  /// The first step to make: 1, or the one after the latest checkpoint.
  private int firstStep(Optional<SavedRun> saved, Training training) {
    if (saved.isEmpty()) {
      return 1;
    }
    if (!options.resume) {
      saved.get().requireNone();
      return 1;
    }
    Optional<Long> last = saved.get().resume(training);
    output.printResumed(last, saved.get());
    return Math.toIntExact(last.orElse(0L) + 1);
  }
}
