package dev.panoptim.djl;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.util.Pair;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/// A small model on DJL's PyTorch engine, and its training with random data.
final class TinyModel {
  static final int INPUTS = 5;
  static final int CLASSES = 3;
  private static final int BATCH = 8;

  private TinyModel() {}

  static Model of(Block block) {
    Model model = Model.newInstance("tiny", Device.cpu(), "PyTorch");
    model.setBlock(block);
    return model;
  }

  static Model mlp() {
    return of(
        new SequentialBlock()
            .add(Linear.builder().setUnits(7).build())
            .add(Activation::relu)
            .add(Linear.builder().setUnits(6).build())
            .add(Activation::relu)
            .add(Linear.builder().setUnits(CLASSES).build()));
  }

  static DefaultTrainingConfig config() {
    return new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
        .optDevices(new Device[] {Device.cpu()});
  }

  static Shape inputs() {
    return new Shape(BATCH, INPUTS);
  }

  /// Computes the gradients of a batch.
  static void backward(Trainer trainer, Random random) {
    float[] data = new float[BATCH * INPUTS];
    float[] labels = new float[BATCH];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) random.nextGaussian();
    }
    for (int i = 0; i < BATCH; i++) {
      labels[i] = random.nextInt(CLASSES);
    }
    try (var manager = trainer.getManager().newSubManager();
        GradientCollector collector = trainer.newGradientCollector()) {
      NDArray input = manager.create(data, new Shape(BATCH, INPUTS));
      NDArray label = manager.create(labels, new Shape(BATCH, 1));
      NDList scores = trainer.forward(new NDList(input));
      collector.backward(trainer.getLoss().evaluate(new NDList(label), scores));
      scores.close();
    }
  }

  /// Makes training steps on batches of a seed.
  static void train(Trainer trainer, Random random, int steps) {
    for (int i = 0; i < steps; i++) {
      backward(trainer, random);
      trainer.step();
    }
  }

  /// Copies of all parameters, by name.
  static Map<String, float[]> weights(Block block) {
    Map<String, float[]> weights = new LinkedHashMap<>();
    for (Pair<String, ai.djl.nn.Parameter> each : block.getParameters()) {
      weights.put(each.getKey(), each.getValue().getArray().toFloatArray());
    }
    return weights;
  }

  /// Sets the parameters of a block, before its training.
  static void setWeights(Block block, Map<String, float[]> weights) {
    for (Pair<String, ai.djl.nn.Parameter> each : block.getParameters()) {
      NDArray array = each.getValue().getArray();
      try (NDArray values =
          array.getManager().create(weights.get(each.getKey()), array.getShape())) {
        values.copyTo(array);
      }
    }
  }
}
