package dev.panoptim.examples.quickstart;

import dev.panoptim.backend.Backend;
import dev.panoptim.schedule.Schedule;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/// The command line options of the quickstart.
///
/// Written by picocli, then only read.
final class Options {
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
      description = "Default: one that suits the optimizer, such as 0.005 for adamw.")
  private Double learningRate;

  @Option(
      names = "--weight-decay",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description = "0 or more. Default: 0.01 for optimizers with decoupled decay, otherwise 0.")
  private Double weightDecay;

  @Option(names = "--backend", description = "auto, native, vector or scalar.")
  String backend = "auto";

  @Option(names = "--threads", description = "For the model and the optimizer; 1 to 1024.")
  int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--schedule",
      description = "Schedule of the learning rate: one of ${COMPLETION-CANDIDATES}.")
  private ScheduleChoice.Kind schedule = ScheduleChoice.Kind.constant;

  @Option(
      names = "--warmup",
      description =
          "Steps at the beginning in which the learning rate rises; 0 or more, and fewer than"
              + " --steps.")
  private int warmup;

  @Option(names = "--steps", description = "Steps to train, 1 or more.")
  int steps = 3000;

  @Option(names = "--seed", description = "The same seed gives the same run, bit by bit.")
  long seed = 1;

  @Option(
      names = "--checkpoint",
      paramLabel = "DIR",
      description =
          "Save the whole training here, every N steps, at the end and at Ctrl-C; the last three"
              + " checkpoints are kept.")
  private Path checkpoint;

  @Option(
      names = "--every",
      paramLabel = "N",
      description = "Steps between checkpoints; 1 or more.")
  private int every = 500;

  @Option(
      names = "--resume",
      description =
          "Continue from the latest checkpoint, if there is one, with the bits of a run that was"
              + " never interrupted. Text, seed, optimizer and schedule (which depends on --steps)"
              + " must be the same; backend and threads need not.")
  boolean resume;

  @Option(names = "--out", description = "File of the loss curve.")
  Path out = Path.of("java", "examples", "target", "quickstart", "loss.png");

  /// @throws IllegalArgumentException if an option is out of range, or the loss curve cannot be
  ///   written
  void check() {
    requirePositive("--threads", threads);
    if (threads > Backend.MOST_THREADS) {
      throw new IllegalArgumentException(
          "--threads is " + threads + ", but must be from 1 to " + Backend.MOST_THREADS);
    }
    requirePositive("--steps", steps);
    requirePositive("--every", every);
    if (resume && checkpoint == null) {
      throw new IllegalArgumentException("--resume needs --checkpoint, the folder to resume from");
    }
    LossCurve.requireWritable(out);
  }

  private static void requirePositive(String option, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(option + " is " + value + ", but must be 1 or more");
    }
  }

  /// @throws IllegalArgumentException if the text cannot be read or is too short
  Corpus corpus() {
    return Corpus.of(texts.isEmpty() ? Corpus.sources(Path.of("")) : Corpus.read(texts));
  }

  OptimizerChoice optimizer() {
    return new OptimizerChoice(optimizer, learningRate, weightDecay, threads);
  }

  /// @throws IllegalArgumentException if the warm-up is out of range
  Schedule schedule() {
    return new ScheduleChoice(schedule, warmup).over(steps);
  }

  boolean isRateConstant() {
    return schedule == ScheduleChoice.Kind.constant && warmup == 0;
  }

  /// The checkpoints of the run; empty if none are wanted.
  Optional<SavedRun> savedRun(Corpus corpus) {
    return Optional.ofNullable(checkpoint)
        .map(directory -> new SavedRun(directory, every, settings(corpus)));
  }

  /// The settings that a run must share with the run that it continues.
  private Map<String, String> settings(Corpus corpus) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("text", "%08x".formatted(corpus.checksum()));
    settings.put("seed", Long.toString(seed));
    settings.put("optimizer", optimizer().toString());
    settings.put("schedule", schedule().toString());
    return settings;
  }
}
