package dev.panoptim.dl4j;

import dev.panoptim.checkpoint.CheckpointFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/// A training in another JVM that ends without warning: it saves each fifth step, and halts after
/// the 23rd.
final class TraineeProgram {
  static final int HALTED = 7;
  private static final int LAST = 23;
  private static final int INTERVAL = 5;

  private TraineeProgram() {}

  static Process start(List<String> options, Path folder) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector"));
    command.addAll(options);
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            TraineeProgram.class.getName(),
            folder.toString()));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  public static void main(String[] arguments) {
    CheckpointFolder checkpoints = CheckpointFolder.of(Path.of(arguments[0]), 2);
    MultiLayerNetwork net = Networks.normalised();
    PanoptimUpdater updater = RestoreTest.install(net);
    for (int i = 0; i < LAST; i++) {
      net.fit(RestoreTest.batches().get(i));
      if ((i + 1) % INTERVAL == 0) {
        updater.save(checkpoints);
      }
    }
    Runtime.getRuntime().halt(HALTED);
  }
}
