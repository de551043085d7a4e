package dev.panoptim.examples.bridges.djl;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import dev.panoptim.djl.PanoptimTrainer;
import dev.panoptim.examples.bridges.ComparedLibrary;
import dev.panoptim.examples.bridges.ModelSize;
import dev.panoptim.examples.bridges.TrainingSetup;
import dev.panoptim.examples.bridges.TrainingSide;
import dev.panoptim.optim.Adam;
import java.util.List;
import java.util.Locale;

/// DJL on its PyTorch engine.
final class DjlLibrary implements ComparedLibrary {
  @Override
  public String name() {
    return "DJL %s (PyTorch %s)"
        .formatted(Engine.getDjlVersion(), Engine.getEngine(DjlSide.ENGINE).getVersion());
  }

  @Override
  public String ownOptimizer() {
    return "DJL's Adam";
  }

  /// One thread trains the small model faster than two, with either optimizer: its matrices are too
  /// small to share.
  private static int threads(ModelSize size) {
    return size == ModelSize.SMALL ? 1 : Runtime.getRuntime().availableProcessors();
  }

  @Override
  public TrainingSide own(TrainingSetup setup) {
    JniUtils.setNumThreads(threads(setup.size()));
    Tracker rate = Tracker.fixed(setup.size().learningRate());
    return new DjlSide(
        setup,
        DjlSide.config().optOptimizer(Optimizer.adam().optLearningRateTracker(rate).build()),
        Model::newTrainer);
  }

  @Override
  public TrainingSide panoptim(TrainingSetup setup) {
    JniUtils.setNumThreads(threads(setup.size()));
    double rate = setup.size().learningRate();
    return new DjlSide(
        setup,
        DjlSide.config(),
        (model, config) ->
            PanoptimTrainer.of(
                model,
                config,
                parameters ->
                    Adam.builder(parameters)
                        .learningRate(rate)
                        .epsilonBeforeCorrection(true)
                        .build()));
  }

  @Override
  public List<String> remarks() {
    return List.of(
        String.format(
            Locale.ROOT,
            "A step needs %.2f us to find a gradient of DJL. PyTorch has %d thread for the small"
                + " model, which is faster with either optimizer, and %d for the large one.",
            FindingCost.micros(),
            threads(ModelSize.SMALL),
            threads(ModelSize.LARGE)));
  }
}
