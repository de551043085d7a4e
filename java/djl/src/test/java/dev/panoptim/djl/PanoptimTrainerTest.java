package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.Model;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import dev.panoptim.optim.Adam;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("natives")
class PanoptimTrainerTest {
  private static final long SEED = new Random().nextLong();

  @Test
  void theFirstStepIsThatOfDjlsAdam() {
    System.out.println("seed " + SEED);
    Map<String, float[]> start;
    Map<String, float[]> djl;
    try (Model model = TinyModel.mlp();
        Trainer trainer =
            model.newTrainer(TinyModel.config().optOptimizer(Optimizer.adam().build()))) {
      trainer.initialize(TinyModel.inputs());
      start = TinyModel.weights(model.getBlock());
      TinyModel.train(trainer, new Random(SEED), 1);
      djl = TinyModel.weights(model.getBlock());
    }
    try (Model model = TinyModel.mlp();
        PanoptimTrainer trainer =
            PanoptimTrainer.of(model, TinyModel.config(), p -> Adam.builder(p).build())) {
      trainer.initialize(TinyModel.inputs());
      TinyModel.setWeights(model.getBlock(), start);
      TinyModel.train(trainer, new Random(SEED), 1);
      Map<String, float[]> ours = TinyModel.weights(model.getBlock());
      assertEquals(djl.keySet(), ours.keySet());
      djl.forEach((name, values) -> assertArrayEquals(values, ours.get(name), 1e-7f, name));
      System.out.println(djl.keySet());
    }
  }
}
