package dev.panoptim.examples.quickstart;

import dev.panoptim.examples.console.Interruption;
import java.util.Optional;

/// The steps of one run, with validations and checkpoints in between.
///
/// Not thread-safe.
final class TrainingRun {
  private static final int VALIDATIONS = 12;

  private final Options options;
  private final Trainer trainer;
  private final Recording recording;
  private final LossCurve curve;
  private final Optional<SavedRun> saved;
  private final Interruption interruption;

  /// @param lastStep number of the last step; less than wanted if the user has interrupted the run
  /// @param steps number of steps that this run has made
  /// @param lossBefore of the held-out text, in bits per byte
  /// @param lossAfter the same after the last validation
  /// @param seconds duration of the run
  /// @param optimizerSeconds time spent in the optimizer
  /// @param drawn whether the loss curve has been written
  record Result(
      int lastStep,
      int steps,
      double lossBefore,
      double lossAfter,
      double seconds,
      double optimizerSeconds,
      boolean drawn) {}

  TrainingRun(
      Options options,
      Trainer trainer,
      Recording recording,
      LossCurve curve,
      Optional<SavedRun> saved,
      Interruption interruption) {
    this.options = options;
    this.trainer = trainer;
    this.recording = recording;
    this.curve = curve;
    this.saved = saved;
    this.interruption = interruption;
  }

  /// Trains until all steps are made or the user interrupts, saves, and draws the loss curve.
  Result from(int first, Output output) {
    double before = trainer.validationLoss();
    curve.addValidation(before);
    double after = before;
    int step = first - 1;
    int savedAt = step;
    long start = System.nanoTime();
    try (Progress progress = output.progress(step, options.steps)) {
      while (step < options.steps && !interruption.isRequested()) {
        step++;
        curve.addTraining(trainer.step(step));
        recording.record(trainer.parameters());
        progress.update(step, curve.recentTraining(), trainer.optimizerNanos());
        if (step == options.steps || step % Math.max(1, options.steps / VALIDATIONS) == 0) {
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
      curve.save(options.out);
    }
    return new Result(step, made, before, after, seconds, trainer.optimizerNanos() / 1e9, drawn);
  }
}
