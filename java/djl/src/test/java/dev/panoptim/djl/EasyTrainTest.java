package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Model;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.evaluator.Accuracy;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.listener.TrainingListener.BatchData;
import dev.panoptim.optim.AdamW;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// DJL's own loop, with its listeners, metrics and evaluators.
@Tag("natives")
class EasyTrainTest {
  private static final long SEED = new Random().nextLong();
  private static final int EPOCHS = 8;
  private static final int EXAMPLES = 600;

  /// Records what a listener is told.
  private static final class Record implements TrainingListener {
    final List<String> events = new ArrayList<>();

    @Override
    public void onEpoch(Trainer trainer) {
      events.add("epoch");
    }

    @Override
    public void onTrainingBatch(Trainer trainer, BatchData batchData) {
      events.add("batch");
    }

    @Override
    public void onValidationBatch(Trainer trainer, BatchData batchData) {
      events.add("validation");
    }

    @Override
    public void onTrainingBegin(Trainer trainer) {
      events.add("begin");
    }

    @Override
    public void onTrainingEnd(Trainer trainer) {
      events.add("end");
    }
  }

  private static ArrayDataset dataset(NDManager manager, Random random) {
    float[] data = new float[EXAMPLES * TinyModel.INPUTS];
    float[] labels = new float[EXAMPLES];
    for (int i = 0; i < EXAMPLES; i++) {
      labels[i] = random.nextInt(TinyModel.CLASSES);
      for (int j = 0; j < TinyModel.INPUTS; j++) {
        data[i * TinyModel.INPUTS + j] = (float) random.nextGaussian() + (j == labels[i] ? 5 : 0);
      }
    }
    return new ArrayDataset.Builder()
        .setData(manager.create(data, new Shape(EXAMPLES, TinyModel.INPUTS)))
        .optLabels(manager.create(labels, new Shape(EXAMPLES, 1)))
        .setSampling(20, false)
        .build();
  }

  /// Trains, and returns the events of the listener.
  private static List<String> train(BiFunction<Model, DefaultTrainingConfig, Trainer> newTrainer)
      throws Exception {
    Random random = new Random(SEED);
    Record record = new Record();
    Accuracy accuracy = new Accuracy();
    DefaultTrainingConfig config =
        TinyModel.config().addEvaluator(accuracy).addTrainingListeners(record);
    for (TrainingListener each : TrainingListener.Defaults.basic()) {
      config.addTrainingListeners(each);
    }
    try (Model model = TinyModel.mlp();
        Trainer trainer = newTrainer.apply(model, config)) {
      Metrics metrics = new Metrics();
      trainer.setMetrics(metrics);
      trainer.initialize(TinyModel.inputs());
      EasyTrain.fit(
          trainer,
          EPOCHS,
          dataset(trainer.getManager(), random),
          dataset(trainer.getManager(), random));
      int steps = EPOCHS * EXAMPLES / 20;
      assertEquals(steps, metrics.getMetric("step").size());
      assertEquals(steps, metrics.getMetric("backward").size());
      assertEquals(EPOCHS, trainer.getTrainingResult().getEpoch());
      float reached = trainer.getTrainingResult().getValidateEvaluation("Accuracy");
      assertTrue(reached > 0.95, () -> "accuracy " + reached + " with seed " + SEED);
    }
    return record.events;
  }

  @Test
  void listenersMetricsAndAccuracyAreThoseOfDjl() throws Exception {
    List<String> djl =
        train(
            (model, config) ->
                model.newTrainer(
                    config.optOptimizer(
                        ai.djl.training.optimizer.Optimizer.adam()
                            .optLearningRateTracker(ai.djl.training.tracker.Tracker.fixed(0.01f))
                            .build())));
    List<String> ours =
        train(
            (model, config) ->
                PanoptimTrainer.of(
                    model, config, p -> AdamW.builder(p).learningRate(0.01).build()));
    assertEquals(djl, ours);
    assertEquals("begin", ours.getFirst());
    assertEquals("end", ours.getLast());
    assertEquals(1, ours.stream().filter("begin"::equals).count());
  }
}
