package dev.panoptim.examples.bridges.djl;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import dev.panoptim.examples.bridges.Digits;
import dev.panoptim.examples.bridges.ModelSize;
import dev.panoptim.examples.bridges.TrainingSetup;
import dev.panoptim.examples.bridges.TrainingSide;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.BiFunction;

/// A perceptron of DJL, which a trainer trains.
final class DjlSide implements TrainingSide {
  static final String ENGINE = "PyTorch";

  private final Model model;
  private final Trainer trainer;
  private final List<NDArray> pixels = new ArrayList<>();
  private final List<NDArray> labels = new ArrayList<>();
  private NDArray loss;
  private long optimizerNanos;

  /// @param newTrainer creates the trainer of a model
  DjlSide(
      TrainingSetup setup,
      DefaultTrainingConfig config,
      BiFunction<Model, DefaultTrainingConfig, Trainer> newTrainer) {
    model = Model.newInstance("digits", Device.cpu(), ENGINE);
    model.setBlock(perceptron(setup.size()));
    trainer = newTrainer.apply(model, config);
    trainer.initialize(new Shape(setup.batchSize(), Digits.PIXELS));
    setParameters(setup.parameters());
    NDManager manager = trainer.getManager();
    for (int i = 0; i < setup.batches(); i++) {
      int from = i * setup.batchSize();
      int to = from + setup.batchSize();
      pixels.add(array(manager, setup.training(), from, to));
      labels.add(manager.create(setup.training().labels(from, to)).reshape(setup.batchSize(), 1));
    }
  }

  static DefaultTrainingConfig config() {
    return new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
        .optDevices(new Device[] {Device.cpu()});
  }

  private static Block perceptron(ModelSize size) {
    SequentialBlock block = new SequentialBlock();
    for (int i = 0; i < size.layers(); i++) {
      block.add(Linear.builder().setUnits(size.outputs(i)).build());
      if (i < size.layers() - 1) {
        block.add(Activation.reluBlock());
      }
    }
    return block;
  }

  private void setParameters(List<float[]> parameters) {
    Iterator<float[]> values = parameters.iterator();
    for (Parameter each : model.getBlock().getParameters().values()) {
      NDArray array = each.getArray();
      try (NDArray copy = array.getManager().create(values.next(), array.getShape())) {
        copy.copyTo(array);
      }
    }
  }

  private static NDArray array(NDManager manager, Digits digits, int from, int to) {
    return manager.create(digits.pixels(from, to), new Shape(to - from, Digits.PIXELS));
  }

  @Override
  public void step(int batch) {
    closeLoss();
    try (NDManager manager = trainer.getManager().newSubManager();
        GradientCollector collector = trainer.newGradientCollector()) {
      // Results of the model are attached to the manager of its input, and closed with it.
      NDList input = new NDList(pixels.get(batch));
      manager.tempAttachAll(input);
      NDList scores = trainer.forward(input);
      loss = trainer.getLoss().evaluate(new NDList(labels.get(batch)), scores);
      collector.backward(loss);
      loss.attach(trainer.getManager());
    }
    long start = System.nanoTime();
    trainer.step();
    optimizerNanos += System.nanoTime() - start;
  }

  private void closeLoss() {
    if (loss != null) {
      loss.close();
    }
  }

  @Override
  public long optimizerNanos() {
    return optimizerNanos;
  }

  @Override
  public double loss() {
    return loss.getFloat();
  }

  @Override
  public float[] scores(Digits digits) {
    try (NDManager manager = trainer.getManager().newSubManager()) {
      NDArray input = array(manager, digits, 0, digits.count());
      return trainer.evaluate(new NDList(input)).singletonOrThrow().toFloatArray();
    }
  }

  @Override
  public void close() {
    closeLoss();
    trainer.close();
    model.close();
  }
}
