package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.nn.Parameter;
import ai.djl.training.Trainer;
import ai.djl.training.initializer.ConstantInitializer;
import ai.djl.training.initializer.NormalInitializer;
import ai.djl.training.tracker.Tracker;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Trainings begin with the parameters of DJL's own trainer, and take the same steps.
@Tag("natives")
class SameAsDjlTest {
  private static final long SEED = new Random().nextLong();

  @TempDir Path folder;

  @BeforeAll
  static void printSeed() {
    System.out.println("SameAsDjlTest: seed " + SEED);
  }

  private interface Factory extends Function<List<dev.panoptim.memory.Parameter>, Optimizer> {}

  private static Arguments pair(
      String name, ai.djl.training.optimizer.Optimizer djl, Factory panoptim) {
    return Arguments.argumentSet(name, djl, panoptim);
  }

  static Stream<Arguments> optimizers() {
    return Stream.of(
        pair(
            "Adam",
            ai.djl.training.optimizer.Optimizer.adam().build(),
            p -> Adam.builder(p).epsilonBeforeCorrection(true).build()),
        pair(
            "Adam with L2",
            ai.djl.training.optimizer.Optimizer.adam().optWeightDecays(0.1f).build(),
            p -> Adam.builder(p).weightDecay(0.1).epsilonBeforeCorrection(true).build()),
        pair(
            "AdamW",
            ai.djl.training.optimizer.Optimizer.adamW().optWeightDecays(0.1f).build(),
            p -> AdamW.builder(p).weightDecay(0.1).epsilonBeforeCorrection(true).build()),
        pair(
            "SGD",
            ai.djl.training.optimizer.Optimizer.sgd()
                .setLearningRateTracker(Tracker.fixed(0.05f))
                .setRescaleGrad(0.5f)
                .build(),
            p -> Sgd.builder(p).learningRate(0.05).options(o -> o.gradientScale(0.5)).build()),
        pair(
            "momentum",
            ai.djl.training.optimizer.Optimizer.sgd()
                .setLearningRateTracker(Tracker.fixed(0.05f))
                .optMomentum(0.9f)
                .build(),
            p -> Sgd.builder(p).learningRate(0.05).momentum(0.9).build()));
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void stepsAreThoseOfDjl(ai.djl.training.optimizer.Optimizer djl, Factory panoptim) {
    try (Model own = TinyModel.mlp();
        Model ours = TinyModel.mlp();
        Trainer ownTrainer = own.newTrainer(TinyModel.config().optOptimizer(djl));
        Trainer ourTrainer = PanoptimTrainer.of(ours, TinyModel.config(), panoptim)) {
      ownTrainer.initialize(TinyModel.inputs());
      ourTrainer.initialize(TinyModel.inputs());
      TinyModel.setWeights(ours.getBlock(), TinyModel.weights(own.getBlock()));
      Random ownData = new Random(SEED);
      Random ourData = new Random(SEED);
      TinyModel.train(ownTrainer, ownData, 1);
      TinyModel.train(ourTrainer, ourData, 1);
      assertClose(own, ours, 1e-7f);
      TinyModel.train(ownTrainer, ownData, 19);
      TinyModel.train(ourTrainer, ourData, 19);
      assertClose(own, ours, 2e-5f);
    }
  }

  /// @param delta the largest difference; a rounding of the last bit is allowed in any case
  private static void assertClose(Model expected, Model actual, float delta) {
    Map<String, float[]> weights = TinyModel.weights(actual.getBlock());
    Map<String, float[]> own = TinyModel.weights(expected.getBlock());
    assertEquals(own.keySet(), weights.keySet());
    own.forEach(
        (name, values) -> {
          for (int i = 0; i < values.length; i++) {
            float allowed = Math.max(delta, Math.ulp(values[i]));
            assertEquals(values[i], weights.get(name)[i], allowed, name + " " + i);
          }
        });
  }

  @Test
  void schedulesAreThoseOfDjl() {
    Tracker tracker =
        Tracker.warmUp()
            .optWarmUpSteps(3)
            .optWarmUpBeginValue(0.01f)
            .setMainTracker(Tracker.factor().setBaseValue(0.1f).setFactor(0.5f).build())
            .build();
    try (Model own = TinyModel.mlp();
        Model ours = TinyModel.mlp();
        Trainer ownTrainer =
            own.newTrainer(
                TinyModel.config()
                    .optOptimizer(
                        ai.djl.training.optimizer.Optimizer.sgd()
                            .setLearningRateTracker(tracker)
                            .build()));
        Trainer ourTrainer =
            PanoptimTrainer.of(ours, TinyModel.config(), p -> Sgd.builder(p).build())
                .learningRate(tracker)) {
      ownTrainer.initialize(TinyModel.inputs());
      ourTrainer.initialize(TinyModel.inputs());
      TinyModel.setWeights(ours.getBlock(), TinyModel.weights(own.getBlock()));
      TinyModel.train(ownTrainer, new Random(SEED), 12);
      TinyModel.train(ourTrainer, new Random(SEED), 12);
      assertClose(own, ours, 2e-6f);
    }
  }

  @Test
  void initialParametersAreThoseOfDjl() {
    String[] bits = new String[2];
    for (int i = 0; i < 2; i++) {
      Engine.getEngine("PyTorch").setRandomSeed(42);
      var config =
          TinyModel.config()
              .optInitializer(new NormalInitializer(0.3f), Parameter.Type.WEIGHT)
              .optInitializer(new ConstantInitializer(0.25f), Parameter.Type.BIAS);
      try (Model model = TinyModel.mlp();
          Trainer trainer =
              i == 0
                  ? model.newTrainer(config)
                  : PanoptimTrainer.of(model, config, p -> Adam.builder(p).build())) {
        trainer.initialize(TinyModel.inputs());
        bits[i] = TinyModel.bits(model.getBlock());
        assertArrayEquals(
            new float[] {0.25f, 0.25f, 0.25f},
            TinyModel.weights(model.getBlock()).get("05Linear_bias"));
      }
    }
    assertEquals(bits[0], bits[1]);
  }

  /// DJL unfreezes the parameters of a loaded model. Otherwise nothing would be trained.
  @Test
  void aLoadedModelIsUnfrozen() throws Exception {
    try (Model model = TinyModel.mlp();
        Trainer trainer = model.newTrainer(TinyModel.config())) {
      trainer.initialize(TinyModel.inputs());
      model.save(folder, "saved");
    }
    try (Model model = TinyModel.mlp()) {
      model.load(folder, "saved");
      model.getBlock().freezeParameters(true);
      Map<String, float[]> loaded = TinyModel.weights(model.getBlock());
      try (Trainer trainer =
          PanoptimTrainer.of(model, TinyModel.config(), p -> Adam.builder(p).build())) {
        trainer.initialize(TinyModel.inputs());
        TinyModel.train(trainer, new Random(SEED), 3);
        loaded.forEach(
            (name, values) -> {
              float[] trained = TinyModel.weights(model.getBlock()).get(name);
              assertFalse(Arrays.equals(values, trained), name);
            });
      }
    }
  }
}
