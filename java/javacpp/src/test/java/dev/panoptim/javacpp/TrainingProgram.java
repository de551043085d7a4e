package dev.panoptim.javacpp;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.checkpoint.Checkpoint;
import dev.panoptim.checkpoint.CheckpointFolder;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Trains a network in a separate process, from the folder's latest checkpoint on. It saves after
/// each third step, and at the end prints a number that depends on every bit of the weights.
///
/// Arguments: the folder, the last step, and the step after which the process ends without warning
/// (0: it does not).
final class TrainingProgram {
  private static final int ROWS = 16;
  private static final int STEPS_BETWEEN_SAVES = 3;

  /// As a process reports the signal KILL.
  static final int KILLED = 137;

  private TrainingProgram() {}

  /// Runs the program.
  ///
  /// @param options of the JVM
  static Process start(List<String> options, Path folder, int last, int end) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(options);
    command.addAll(
        List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "--enable-native-access=ALL-UNNAMED",
            // JavaCPP's, which has nothing to do with this test.
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            TrainingProgram.class.getName(),
            folder.toString(),
            String.valueOf(last),
            String.valueOf(end)));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  public static void main(String[] arguments) {
    CheckpointFolder folder = CheckpointFolder.of(Path.of(arguments[0]), 2);
    int last = Integer.parseInt(arguments[1]);
    int end = Integer.parseInt(arguments[2]);
    boolean fresh = folder.latest().isEmpty();
    // A resumed training must not depend on its initial weights.
    TinyNet net = TinyNet.ofSeed(fresh ? 1 : 2);
    TorchParameters parameters = TorchParameters.of(net.named_parameters());
    try (Optimizer optimizer = AdamW.builder(parameters).learningRate(1e-2).build()) {
      Training training = Training.of(optimizer);
      long first = fresh ? 0 : load(training, folder.latest().orElseThrow());
      System.out.println("training from " + first);
      for (long step = first + 1; step <= last; step++) {
        optimizer.zeroGrad(true);
        net.loss(Batch.of(new Random(step), ROWS)).backward();
        optimizer.step();
        if (step % STEPS_BETWEEN_SAVES == 0) {
          folder.save(training, step, Map.of());
        }
        if (step == end) {
          Runtime.getRuntime().halt(KILLED);
        }
      }
    }
    System.out.println("weights " + hash(parameters));
  }

  private static long load(Training training, Path file) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      checkpoint.load(training);
      return checkpoint.step();
    }
  }

  private static int hash(TorchParameters parameters) {
    int hash = 0;
    for (Parameter each : parameters) {
      hash = 31 * hash + Arrays.hashCode(each.data().toArray(JAVA_FLOAT));
    }
    return hash;
  }
}
