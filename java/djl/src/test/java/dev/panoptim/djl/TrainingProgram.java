package dev.panoptim.djl;

import ai.djl.Model;
import ai.djl.engine.Engine;
import dev.panoptim.checkpoint.Checkpoint;
import dev.panoptim.checkpoint.CheckpointFolder;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.optim.AdamW;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

/// A training that saves each step and continues from its last checkpoint, for a process that is
/// killed: `TrainingProgram FOLDER STEPS RESULT` prints the number of each step that is saved, and
/// writes the bits of all parameters at the end.
final class TrainingProgram {
  private TrainingProgram() {}

  public static void main(String[] arguments) throws Exception {
    String bits = train(Path.of(arguments[0]), Integer.parseInt(arguments[1]), Integer.MAX_VALUE);
    Files.writeString(Path.of(arguments[2]), bits);
    System.out.println("done");
  }

  /// @param stop the step before which the training is closed
  /// @return the bits of all parameters
  static String train(Path folder, int steps, int stop) throws Exception {
    CheckpointFolder checkpoints = CheckpointFolder.of(folder, 2);
    // The parameters of a continued training come from the checkpoint, not from the same seed.
    boolean continued = checkpoints.latest().isPresent();
    Engine.getEngine("PyTorch").setRandomSeed(continued ? 99 : 7);
    try (Model model = TinyModel.mlp();
        PanoptimTrainer trainer =
            PanoptimTrainer.of(
                model, TinyModel.config(), p -> AdamW.builder(p).learningRate(0.01).build())) {
      trainer.initialize(TinyModel.inputs());
      Training training = Training.of(trainer.optimizer());
      long step = 0;
      if (continued) {
        try (Checkpoint checkpoint = Checkpoint.open(checkpoints.latest().get())) {
          checkpoint.load(training);
          step = checkpoint.step();
        }
      }
      while (step < Math.min(steps, stop)) {
        TinyModel.backward(trainer, new Random(step));
        trainer.step();
        step++;
        checkpoints.save(training, step, Map.of());
        System.out.println("step " + step);
      }
      return TinyModel.bits(model.getBlock());
    }
  }
}
