package dev.panoptim.checkpoint;

import dev.panoptim.backend.Backends;
import dev.panoptim.checkpoint.TableTrainee.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Trains a table of each kind in a separate process, starting from what was saved last, and saves
/// after each second step.
///
/// Arguments: the folder, which has a folder for each kind, and the last step.
final class TableTraineeProgram {
  /// So large that the process spends much of its time saving.
  private static final int ROWS = 3000;

  private static final int WIDTH = 40;
  static final int MOST_CHANGES = 3;

  private TableTraineeProgram() {}

  static TableTrainee trainee(Kind kind) {
    return new TableTrainee(
        kind, TableTrainee.OPTIMIZERS.get("adamW, as if dense"), Backends.scalar(), ROWS, WIDTH);
  }

  /// A process that has not been started yet.
  static ProcessBuilder process(Path folder, long last) {
    List<String> command = new ArrayList<>(TraineeProgram.process(folder, last).command());
    command.set(
        command.indexOf(TraineeProgram.class.getName()), TableTraineeProgram.class.getName());
    return new ProcessBuilder(command).redirectErrorStream(true);
  }

  public static void main(String[] arguments) throws Exception {
    long last = Long.parseLong(arguments[1]);
    List<TableTrainee> trainees = new ArrayList<>();
    List<TableCheckpoint> checkpoints = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      TableTrainee trainee = trainee(kind);
      TableCheckpoint checkpoint = trainee.open(Path.of(arguments[0], kind.name()), MOST_CHANGES);
      checkpoint.load();
      trainees.add(trainee);
      checkpoints.add(checkpoint);
    }
    System.out.println("training");
    boolean done = false;
    while (!done) {
      done = true;
      for (int i = 0; i < trainees.size(); i++) {
        TableTrainee each = trainees.get(i);
        if (each.steps() < last) {
          each.trainTo(Math.min(each.steps() + 2, last));
          checkpoints.get(i).save();
          done = false;
        }
      }
    }
  }
}
