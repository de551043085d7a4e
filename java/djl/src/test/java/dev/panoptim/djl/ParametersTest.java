package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.Trainer;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.Sgd;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Which parameters are trained, and under which names.
@Tag("natives")
class ParametersTest {
  private static List<String> names(List<dev.panoptim.memory.Parameter> parameters) {
    return parameters.stream().map(dev.panoptim.memory.Parameter::name).toList();
  }

  private static List<dev.panoptim.memory.Parameter> parameters(PanoptimTrainer trainer) {
    return trainer.optimizer().paramGroups().getFirst().parameters();
  }

  private static PanoptimTrainer trainer(Model model) {
    return PanoptimTrainer.of(
        model, TinyModel.config(), p -> Adam.builder(p).learningRate(0.01).build());
  }

  @Test
  void namesAndShapesAreThoseOfTheBlock() {
    try (Model model = TinyModel.mlp();
        PanoptimTrainer trainer = trainer(model)) {
      trainer.initialize(TinyModel.inputs());
      assertEquals(
          List.of(
              "01Linear_weight",
              "01Linear_bias",
              "03Linear_weight",
              "03Linear_bias",
              "05Linear_weight",
              "05Linear_bias"),
          names(parameters(trainer)));
      assertEquals(List.of(7L, 5L), parameters(trainer).get(0).shape());
      assertEquals(List.of(7L), parameters(trainer).get(1).shape());
      assertSame(trainer.optimizer(), trainer.optimizer());
    }
  }

  @Test
  void frozenParametersAreSkippedUntilTheyAreUnfrozen() {
    try (Model model = TinyModel.mlp();
        PanoptimTrainer trainer = trainer(model)) {
      trainer.initialize(TinyModel.inputs());
      Parameter frozen = model.getBlock().getParameters().get("03Linear_weight");
      frozen.freeze(true);
      Map<String, float[]> start = TinyModel.weights(model.getBlock());
      Random random = new Random(1);
      TinyModel.train(trainer, random, 3);
      assertChanged(start, model, "03Linear_weight");
      dev.panoptim.memory.Parameter shared = parameters(trainer).get(2);
      assertEquals(0, trainer.optimizer().stepCount(shared));
      frozen.freeze(false);
      TinyModel.train(trainer, random, 2);
      assertEquals(2, trainer.optimizer().stepCount(shared));
      assertChanged(start, model);
      Map<String, float[]> later = TinyModel.weights(model.getBlock());
      frozen.freeze(true);
      TinyModel.train(trainer, random, 1);
      assertChanged(later, model, "03Linear_weight");
    }
  }

  private static void assertChanged(Map<String, float[]> before, Model model, String... except) {
    TinyModel.weights(model.getBlock())
        .forEach(
            (name, values) ->
                assertEquals(
                    List.of(except).contains(name), Arrays.equals(before.get(name), values), name));
  }

  @Test
  void runningMeansAreLeftToTheirLayer() {
    SequentialBlock block =
        new SequentialBlock()
            .add(Linear.builder().setUnits(4).build())
            .add(BatchNorm.builder().build())
            .add(Linear.builder().setUnits(TinyModel.CLASSES).build());
    try (Model model = TinyModel.of(block);
        PanoptimTrainer trainer = trainer(model)) {
      trainer.initialize(TinyModel.inputs());
      TinyModel.train(trainer, new Random(1), 3);
      for (dev.panoptim.memory.Parameter each : parameters(trainer)) {
        boolean running = each.name().contains("running");
        assertEquals(running ? 0 : 3, trainer.optimizer().stepCount(each), each.name());
      }
      assertTrue(names(parameters(trainer)).stream().anyMatch(name -> name.contains("running")));
    }
  }

  /// Both layers have the same parameters, which one step changes once.
  @Test
  void sharedParametersAreTrainedOnce() {
    Linear layer = Linear.builder().setUnits(TinyModel.INPUTS).build();
    SequentialBlock block =
        new SequentialBlock()
            .add(layer)
            .add(layer)
            .add(Linear.builder().setUnits(TinyModel.CLASSES).build());
    try (Model model = TinyModel.of(block);
        PanoptimTrainer trainer =
            PanoptimTrainer.of(
                model, TinyModel.config(), p -> Sgd.builder(p).learningRate(0.5).build())) {
      trainer.initialize(TinyModel.inputs());
      assertEquals(6, block.getParameters().size());
      assertEquals(
          List.of("01Linear_weight", "01Linear_bias", "03Linear_weight", "03Linear_bias"),
          names(parameters(trainer)));
      TinyModel.backward(trainer, new Random(1));
      float[] before = TinyModel.weights(block).get("01Linear_weight");
      float[] gradient =
          block.getParameters().get("01Linear_weight").getArray().getGradient().toFloatArray();
      trainer.step();
      float[] after = TinyModel.weights(block).get("02Linear_weight");
      for (int i = 0; i < before.length; i++) {
        assertEquals(before[i] - 0.5f * gradient[i], after[i], 1e-6f);
      }
    }
  }

  @Test
  void parametersWithoutAGradientAreSkipped() {
    try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
      ArrayBlock block = new ArrayBlock(manager.ones(new Shape(3, 5)));
      Parameter unused = ArrayBlock.parameter("unused", manager.ones(new Shape(4)), true);
      UnusedBlock outer = new UnusedBlock(block, unused);
      try (Model model = TinyModel.of(outer);
          PanoptimTrainer trainer = trainer(model)) {
        trainer.initialize(TinyModel.inputs());
        TinyModel.train(trainer, new Random(1), 3);
        assertArrayEquals(new float[] {1, 1, 1, 1}, unused.getArray().toFloatArray());
        assertEquals(2, parameters(trainer).size());
        for (dev.panoptim.memory.Parameter each : parameters(trainer)) {
          assertEquals(each.name().equals("unused") ? 0 : 3, trainer.optimizer().stepCount(each));
        }
      }
    }
  }

  @Test
  void gradientsAreZeroAfterAStepAlsoOfUntrainedParameters() {
    try (Model model = TinyModel.mlp();
        PanoptimTrainer trainer =
            PanoptimTrainer.of(
                model,
                TinyModel.config(),
                all ->
                    Sgd.builder(all.stream().filter(p -> p.name().endsWith("weight")).toList())
                        .learningRate(0.1)
                        .build())) {
      trainer.initialize(TinyModel.inputs());
      Map<String, float[]> start = TinyModel.weights(model.getBlock());
      TinyModel.train(trainer, new Random(1), 2);
      assertChanged(start, model, "01Linear_bias", "03Linear_bias", "05Linear_bias");
      for (Parameter each : model.getBlock().getParameters().values()) {
        try (var gradient = each.getArray().getGradient()) {
          assertEquals(0, gradient.abs().sum().getFloat(), each.getName());
        }
      }
    }
  }

  @Test
  void theOptimizerIsClosedWithTheTrainer() {
    try (Model model = TinyModel.mlp()) {
      PanoptimTrainer trainer = trainer(model);
      trainer.initialize(TinyModel.inputs());
      TinyModel.train(trainer, new Random(1), 1);
      var optimizer = trainer.optimizer();
      trainer.close();
      assertThrows(IllegalStateException.class, optimizer::step);
    }
  }

  @Test
  void theFallbackIsLoggedOnceWithItsReason() {
    StringBuilder logged = new StringBuilder();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            logged.append(record.getMessage()).append('\n');
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger(PanoptimTrainer.class.getName());
    logger.addHandler(handler);
    try (Model model = TinyModel.mlp()) {
      for (int i = 0; i < 2; i++) {
        try (Trainer trainer =
            PanoptimTrainer.of(
                model,
                TinyModel.config(),
                p -> Adam.builder(p).build(),
                each -> {
                  TensorMemory chosen =
                      PanoptimTrainer.chooseMemory(
                          each,
                          () -> {
                            throw new UnsupportedOperationException("no function x");
                          });
                  assertTrue(chosen instanceof BufferMemory);
                  return chosen;
                })) {
          trainer.initialize(TinyModel.inputs());
          TinyModel.train(trainer, new Random(1), 1);
        }
      }
    } finally {
      logger.removeHandler(handler);
    }
    assertTrue(logged.toString().contains("cannot be asked: no function x"), logged.toString());
    assertEquals(1, logged.toString().lines().count());
    assertFalse(logged.isEmpty());
  }
}
