package dev.panoptim.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.checkpoint.CheckpointFolder;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.schedule.Scheduler;
import dev.panoptim.schedule.Schedules;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

@Tag("natives")
class PanoptimUpdaterTest {
  private static final double ONE_STEP = 1e-7;

  /// Rounding differences grow with the steps.
  private static final double SOME_STEPS = 1e-5;

  private static final int STEPS = 20;

  /// Trains two equal networks, and returns the largest difference of their parameters.
  private static double difference(
      UnaryOperator<NeuralNetConfiguration.Builder> changes, int steps) {
    return difference(Networks.dense(changes), Networks.dense(changes), steps);
  }

  private static double difference(MultiLayerNetwork own, MultiLayerNetwork ours, int steps) {
    try (var updater = PanoptimUpdater.install(ours, Networks::panoptim)) {
      for (DataSet each : Networks.batches(steps, 9, 1)) {
        float[] before = Networks.values(ours.params());
        own.fit(each);
        ours.fit(each);
        assertFalse(Arrays.equals(before, Networks.values(ours.params())));
        assertEquals(own.score(), ours.score(), SOME_STEPS);
      }
      assertEquals(own.getIterationCount(), ours.getIterationCount());
    }
    return Networks.largestDifference(own.params(), ours.params());
  }

  @Test
  void oneStepGivesTheParametersOfTheOwnAdam() {
    assertEquals(0, difference(UnaryOperator.identity(), 1), ONE_STEP);
  }

  @Test
  void someStepsGiveTheParametersOfTheOwnAdam() {
    assertEquals(0, difference(UnaryOperator.identity(), STEPS), SOME_STEPS);
  }

  @Test
  void sumsOfGradientsAreNotDivided() {
    assertEquals(0, difference(it -> it.miniBatch(false), STEPS), SOME_STEPS);
  }

  @Test
  void l1AndL2HaveTheirEffect() {
    assertEquals(0, difference(it -> it.l1(0.01).l2(0.02).l2Bias(0.03), STEPS), SOME_STEPS);
    assertTrue(
        Networks.largestDifference(
                trained(Networks.dense(it -> it.l2(0.02))), trained(Networks.dense(it -> it)))
            > 1e-3);
  }

  private static INDArray trained(MultiLayerNetwork net) {
    try (var updater = PanoptimUpdater.install(net, Networks::panoptim)) {
      Networks.batches(STEPS, 9, 1).forEach(net::fit);
      return net.params().dup();
    }
  }

  @ParameterizedTest
  @EnumSource(GradientNormalization.class)
  void gradientsAreNormalisedAndClipped(GradientNormalization kind) {
    assertEquals(
        0,
        difference(
            it -> it.gradientNormalization(kind).gradientNormalizationThreshold(0.01), STEPS),
        2 * SOME_STEPS);
  }

  @Test
  void constraintsAreApplied() {
    assertEquals(
        0, difference(it -> it.constrainWeights(new MaxNormConstraint(0.7, 1)), STEPS), SOME_STEPS);
  }

  @Test
  void meansAndVariancesOfBatchNormalisationChangeAsBefore() {
    MultiLayerNetwork own = Networks.normalised();
    MultiLayerNetwork ours = Networks.normalised();
    float[] mean = Networks.values(ours.getParam("1_mean"));
    assertEquals(0, difference(own, ours, STEPS), SOME_STEPS);
    assertFalse(Arrays.equals(mean, Networks.values(ours.getParam("1_mean"))));
  }

  @Test
  void graphsAreTrainedTheSameWay() {
    var own = Networks.graph();
    var ours = Networks.graph();
    try (var updater = PanoptimUpdater.install(ours, Networks::panoptim)) {
      List<String> names =
          updater.optimizer().paramGroups().getFirst().parameters().stream()
              .map(Parameter::name)
              .toList();
      assertEquals(List.of("a_W", "a_b", "b_gamma", "b_beta", "b_mean"), names.subList(0, 5));
      for (DataSet each : Networks.batches(STEPS, 9, 1)) {
        own.fit(each);
        ours.fit(each);
      }
      assertEquals(own.getIterationCount(), ours.getIterationCount());
    }
    assertEquals(0, Networks.largestDifference(own.params(), ours.params()), SOME_STEPS);
  }

  @Test
  void frozenLayersStay() {
    MultiLayerNetwork net =
        new TransferLearning.Builder(Networks.dense(it -> it)).setFeatureExtractor(0).build();
    INDArray frozen = net.getLayer(0).params().dup();
    INDArray trained = net.getLayer(1).params().dup();
    try (var updater =
        PanoptimUpdater.install(
            net, p -> AdamW.builder(p).learningRate(0.01).weightDecay(0.1).build())) {
      Networks.batches(STEPS, 9, 1).forEach(net::fit);
    }
    assertArrayEquals(Networks.values(frozen), Networks.values(net.getLayer(0).params()));
    assertTrue(Networks.largestDifference(trained, net.getLayer(1).params()) > 1e-3);
  }

  @Test
  void collectionsOfGarbageChangeNoBit() {
    MultiLayerNetwork one = Networks.dense(it -> it);
    MultiLayerNetwork other = Networks.dense(it -> it);
    try (var a = PanoptimUpdater.install(one, Networks::panoptim);
        var b = PanoptimUpdater.install(other, Networks::panoptim)) {
      for (DataSet each : Networks.batches(STEPS, 9, 1)) {
        one.fit(each);
        other.fit(each);
        System.gc();
      }
    }
    assertArrayEquals(Networks.values(one.params()), Networks.values(other.params()));
  }

  @Test
  void userCodeThatSubtractsGradientsMakesTheSameStep() {
    MultiLayerNetwork fitted = Networks.normalised();
    MultiLayerNetwork byHand = Networks.normalised();
    try (var a = PanoptimUpdater.install(fitted, Networks::panoptim);
        var b = PanoptimUpdater.install(byHand, Networks::panoptim)) {
      for (DataSet each : Networks.batches(STEPS, 9, 1)) {
        fitted.fit(each);
        byHand.setInput(each.getFeatures());
        byHand.setLabels(each.getLabels());
        byHand.computeGradientAndScore();
        byHand
            .getUpdater()
            .update(byHand, byHand.gradient(), 0, 0, 9, LayerWorkspaceMgr.noWorkspaces());
        byHand.params().subi(byHand.gradient().gradient());
      }
    }
    assertArrayEquals(Networks.values(fitted.params()), Networks.values(byHand.params()));
  }

  @Test
  void listenersSeeGradientsBeforeAndZerosAfterTheStep() {
    MultiLayerNetwork net = Networks.dense(it -> it);
    List<Double> before = new ArrayList<>();
    List<Double> after = new ArrayList<>();
    net.setListeners(
        new BaseTrainingListener() {
          @Override
          public void onGradientCalculation(Model model) {
            before.add(model.gradient().gradient().norm2Number().doubleValue());
          }

          @Override
          public void iterationDone(Model model, int iteration, int epoch) {
            after.add(model.gradient().gradient().norm2Number().doubleValue());
          }
        });
    try (var updater = PanoptimUpdater.install(net, Networks::panoptim)) {
      List<DataSet> batches = Networks.batches(2, 9, 1);
      net.fit(batches.get(0));
      updater.optimizer().options().zeroGrad(false);
      net.fit(batches.get(1));
    }
    assertEquals(2, before.size());
    assertTrue(before.get(0) > 0);
    assertEquals(0, after.get(0));
    assertEquals(before.get(1), after.get(1));
  }

  @Test
  void schedulersAreStepped() {
    MultiLayerNetwork net = Networks.dense(it -> it);
    try (var updater = PanoptimUpdater.install(net, Networks::panoptim)) {
      updater.schedule(
          Scheduler.builder(updater.optimizer())
              .drive(Hyperparameter.LEARNING_RATE, Schedules.cosineAnnealing(STEPS, 0))
              .build());
      Networks.batches(STEPS, 9, 1).forEach(net::fit);
      var group = updater.optimizer().paramGroups().getFirst();
      assertEquals(0, group.get(Hyperparameter.LEARNING_RATE), 1e-9);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anotherUpdaterIsNoticed(boolean rate) {
    MultiLayerNetwork net = Networks.dense(it -> it);
    DataSet batch = Networks.batches(1, 9, 1).getFirst();
    try (var updater = PanoptimUpdater.install(net, Networks::panoptim)) {
      net.fit(batch);
      if (rate) {
        assertThrows(RuntimeException.class, () -> net.setLearningRate(0.1));
      } else {
        net.setUpdater(null);
      }
      float[] before = Networks.values(net.params());
      var e = assertThrows(IllegalStateException.class, () -> net.fit(batch));
      assertTrue(e.getMessage().contains("another updater"), e.getMessage());
      assertArrayEquals(before, Networks.values(net.params()));
    }
    // The network subtracts again what its present updater computes.
    float[] before = Networks.values(net.params());
    net.fit(batch);
    assertFalse(Arrays.equals(before, Networks.values(net.params())));
  }

  @Test
  void aRefusedStepChangesNothing() {
    MultiLayerNetwork net = Networks.normalised();
    DataSet batch = Networks.batches(1, 9, 1).getFirst();
    try (var updater = PanoptimUpdater.install(net, Networks::panoptim)) {
      net.fit(batch);
      float[] before = Networks.values(net.params());
      Runnable remove =
          updater
              .optimizer()
              .addStepPreHook(
                  optimizer -> {
                    throw new IllegalStateException("refused");
                  });
      assertThrows(IllegalStateException.class, () -> net.fit(batch));
      assertArrayEquals(before, Networks.values(net.params()));
      remove.run();
      net.fit(batch);
      assertFalse(Arrays.equals(before, Networks.values(net.params())));
    }
  }

  @Test
  void theOptimizerRefusesAClosedNetwork(@TempDir Path folder) {
    MultiLayerNetwork net = Networks.dense(it -> it);
    try (var updater = PanoptimUpdater.install(net, Networks::panoptim)) {
      net.fit(Networks.batches(1, 9, 1).getFirst());
      Optimizer optimizer = updater.optimizer();
      assertThrows(UnsupportedOperationException.class, () -> optimizer.zeroGrad(true));
      assertTrue(optimizer.paramGroups().getFirst().parameters().getFirst().hasGradient());
      net.close();
      assertThrows(IllegalStateException.class, optimizer::step);
      assertThrows(IllegalStateException.class, optimizer::zeroGrad);
      assertThrows(
          IllegalStateException.class,
          () -> CheckpointFolder.of(folder, 1).save(Training.of(optimizer), 1, Map.of()));
    }
  }

  @Test
  void closingGivesTheNetworkItsOwnUpdater() {
    MultiLayerNetwork own = Networks.dense(it -> it);
    MultiLayerNetwork ours = Networks.dense(it -> it);
    PanoptimUpdater.install(ours, Networks::panoptim).close();
    for (DataSet each : Networks.batches(STEPS, 9, 1)) {
      own.fit(each);
      ours.fit(each);
    }
    assertArrayEquals(Networks.values(own.params()), Networks.values(ours.params()));
  }

  @Test
  void aTrainedNetworkClassifies() {
    MultiLayerNetwork net = Networks.dense(it -> it);
    try (var updater = PanoptimUpdater.install(net, Networks::panoptim)) {
      Networks.batches(500, 32, 1).forEach(net::fit);
    }
    DataSet test = Networks.batches(1, 1000, 2).getFirst();
    int[] found = net.predict(test.getFeatures());
    int[] expected = test.getLabels().argMax(1).toIntVector();
    int right = 0;
    for (int i = 0; i < found.length; i++) {
      right += found[i] == expected[i] ? 1 : 0;
    }
    assertTrue(right > 900, right + " of 1000 are right");
  }
}
