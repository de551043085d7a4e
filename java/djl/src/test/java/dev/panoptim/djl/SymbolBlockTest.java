package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.Model;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Sgd;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A model that PyTorch has saved, which DJL loads as a `SymbolBlock`.
@Tag("natives")
class SymbolBlockTest {
  @TempDir Path folder;

  @Test
  void isTrainedUnderTheNamesOfTheModule() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    float[] weight = new float[TinyModel.CLASSES * TinyModel.INPUTS];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = (float) random.nextGaussian();
    }
    TorchScriptFile.write(folder.resolve("layer.pt"), weight, new float[TinyModel.CLASSES]);
    try (Model model = Model.newInstance("layer", Device.cpu(), "PyTorch")) {
      // DJL can train a module only if it is loaded so.
      model.load(folder, "layer", Map.of("trainParam", "true"));
      try (PanoptimTrainer trainer =
          PanoptimTrainer.of(
              model, TinyModel.config(), p -> Sgd.builder(p).learningRate(0.1).build())) {
        trainer.initialize(TinyModel.inputs());
        List<Parameter> parameters = trainer.optimizer().paramGroups().getFirst().parameters();
        assertEquals(List.of("weight", "bias"), parameters.stream().map(Parameter::name).toList());
        assertEquals(List.of(3L, 5L), parameters.getFirst().shape());
        String before = TinyModel.bits(model.getBlock());
        float first = TinyModel.backward(trainer, random);
        trainer.step();
        assertNotEquals(before, TinyModel.bits(model.getBlock()));
        TinyModel.train(trainer, random, 200);
        float last = TinyModel.backward(trainer, random);
        assertTrue(last < first, () -> "loss " + first + " to " + last + ", seed " + seed);
        assertEquals(201, trainer.optimizer().stepCount(parameters.getFirst()));
      }
    }
  }
}
