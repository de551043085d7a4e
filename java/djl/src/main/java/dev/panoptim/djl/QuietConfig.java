package dev.panoptim.djl;

import ai.djl.Device;
import ai.djl.nn.Parameter;
import ai.djl.training.TrainingConfig;
import ai.djl.training.evaluator.Evaluator;
import ai.djl.training.initializer.Initializer;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.util.PairList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.function.Predicate;

/// Another config without its listeners.
///
/// @param config the other one
record QuietConfig(TrainingConfig config) implements TrainingConfig {
  @Override
  public Device[] getDevices() {
    return config.getDevices();
  }

  @Override
  public PairList<Initializer, Predicate<Parameter>> getInitializers() {
    return config.getInitializers();
  }

  @Override
  public Optimizer getOptimizer() {
    return config.getOptimizer();
  }

  @Override
  public Loss getLossFunction() {
    return config.getLossFunction();
  }

  @Override
  public ExecutorService getExecutorService() {
    return config.getExecutorService();
  }

  @Override
  public List<Evaluator> getEvaluators() {
    return config.getEvaluators();
  }

  @Override
  public List<TrainingListener> getTrainingListeners() {
    return List.of();
  }
}
