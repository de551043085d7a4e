package dev.panoptim.examples.quickstart;

import dev.panoptim.checkpoint.Checkpoint;
import dev.panoptim.checkpoint.CheckpointFolder;
import dev.panoptim.checkpoint.Training;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The checkpoints of a run, and the settings that a run must share to continue another.
final class SavedRun {
  private static final int KEPT = 3;

  private final Path directory;
  private final int every;
  private final Map<String, String> settings;
  private final CheckpointFolder folder;

  /// @param every number of steps between checkpoints
  /// @param settings on which the run's bits depend, apart from the optimizer's state
  SavedRun(Path directory, int every, Map<String, String> settings) {
    this.directory = directory;
    this.every = every;
    this.settings = new LinkedHashMap<>(settings);
    folder = CheckpointFolder.of(directory, KEPT);
  }

  /// @throws IllegalArgumentException if there is a checkpoint, which a new run would overwrite
  void requireNone() {
    folder
        .latest()
        .ifPresent(
            file -> {
              throw new IllegalArgumentException(
                  file
                      + " exists already: continue from it with --resume, or choose another"
                      + " folder");
            });
  }

  /// Continues from the latest checkpoint.
  ///
  /// @return the step of the checkpoint; empty if there is none
  /// @throws IllegalArgumentException if the checkpoint is from a run with other settings
  Optional<Long> resume(Training training) {
    return folder.latest().map(file -> load(file, training));
  }

  private long load(Path file, Training training) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      settings.forEach(
          (name, value) -> {
            String saved = checkpoint.extras().get(name);
            if (!value.equals(saved)) {
              throw new IllegalArgumentException(
                  "%s cannot be continued: its %s is %s, but this run's %s"
                      .formatted(file, name, saved, value));
            }
          });
      checkpoint.load(training);
      return checkpoint.step();
    }
  }

  /// Whether a checkpoint is to be saved after a step.
  boolean isDue(long step) {
    return step % every == 0;
  }

  Path save(Training training, long step) {
    return folder.save(training, step, settings);
  }

  @Override
  public String toString() {
    return directory.toString();
  }
}
