package dev.panoptim.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Trains in a separate process, starting from the folder's latest checkpoint. It saves after each
/// second step, alternating between foreground and background.
///
/// Arguments: the folder, and the last step.
final class TraineeProgram {
  /// So large that the process spends much of its time saving.
  private static final long[] SIZES = {4097, 60_000};

  private TraineeProgram() {}

  static Trainee trainee() {
    return new Trainee(Trainee.KINDS.get("averaged"), SIZES);
  }

  /// A process that has not been started yet.
  static ProcessBuilder process(Path folder, long last) {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(
        List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.util.logging.config.file="));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-cp");
    command.add(
        String.join(
            System.getProperty("path.separator"),
            "target/test-classes",
            System.getProperty("jdk.module.path", ""),
            System.getProperty("java.class.path")));
    command.addAll(List.of(TraineeProgram.class.getName(), folder.toString(), Long.toString(last)));
    return new ProcessBuilder(command).redirectErrorStream(true);
  }

  public static void main(String[] arguments) {
    CheckpointFolder folder = CheckpointFolder.of(Path.of(arguments[0]), 3);
    long last = Long.parseLong(arguments[1]);
    try (Trainee trainee = trainee()) {
      folder
          .latest()
          .ifPresent(
              file -> {
                try (Checkpoint checkpoint = Checkpoint.open(file)) {
                  trainee.resume(checkpoint);
                }
              });
      long from = trainee.step();
      // After one step most classes are loaded, so that the time is spent on training and saving.
      trainee.trainTo(Math.min(from + 1, last));
      System.out.println("training from " + from);
      for (int saves = 0; trainee.step() < last; saves++) {
        trainee.trainTo(Math.min(trainee.step() + 2, last));
        var background = folder.saveInBackground(trainee.training(), trainee.step(), Map.of());
        if (saves % 2 == 0) {
          background.join();
        } else {
          trainee.trainTo(Math.min(trainee.step() + 1, last));
          background.join();
          folder.save(trainee.training(), trainee.step(), Map.of());
        }
      }
    }
  }
}
