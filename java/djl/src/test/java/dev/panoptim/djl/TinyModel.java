package dev.panoptim.djl;

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
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.util.Pair;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;

/// A small model on DJL's PyTorch engine, and its training with random data.
final class TinyModel {
  static final int INPUTS = 5;
  static final int CLASSES = 3;
  static final int BATCH = 8;

  private TinyModel() {}

  static Model of(Block block) {
    Model model = Model.newInstance("tiny", Device.cpu(), "PyTorch");
    model.setBlock(block);
    return model;
  }

  static Model mlp() {
    return of(mlpBlock());
  }

  static Block mlpBlock() {
    return new SequentialBlock()
        .add(Linear.builder().setUnits(7).build())
        .add(Activation::relu)
        .add(Linear.builder().setUnits(6).build())
        .add(Activation::relu)
        .add(Linear.builder().setUnits(CLASSES).build());
  }

  static DefaultTrainingConfig config() {
    return new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
        .optDevices(new Device[] {Device.cpu()});
  }

  static Shape inputs() {
    return new Shape(BATCH, INPUTS);
  }

  /// Computes the gradients of a random batch.
  ///
  /// @return the loss
  static float backward(Trainer trainer, Random random) {
    return backward(trainer, random, GradientCollector::backward);
  }

  /// As [#backward], with gradients that could be differentiated: PyTorch replaces the gradient of
  /// a parameter then, instead of adding to it.
  static float backwardWithGraph(Trainer trainer, Random random) {
    return backward(
        trainer,
        random,
        (_, loss) -> {
          try (NDArray one = loss.getManager().ones(loss.getShape())) {
            JniUtils.backward((PtNDArray) loss, (PtNDArray) one, false, true);
          }
        });
  }

  private static float backward(
      Trainer trainer, Random random, BiConsumer<GradientCollector, NDArray> propagate) {
    float[] data = new float[BATCH * INPUTS];
    float[] labels = new float[BATCH];
    for (int i = 0; i < BATCH; i++) {
      labels[i] = random.nextInt(CLASSES);
      for (int j = 0; j < INPUTS; j++) {
        data[i * INPUTS + j] = (float) random.nextGaussian() + (j == labels[i] ? 2 : 0);
      }
    }
    try (NDManager manager = trainer.getManager().newSubManager();
        GradientCollector collector = trainer.newGradientCollector()) {
      NDArray input = manager.create(data, new Shape(BATCH, INPUTS));
      NDArray label = manager.create(labels, new Shape(BATCH, 1));
      NDArray loss =
          trainer.getLoss().evaluate(new NDList(label), trainer.forward(new NDList(input)));
      propagate.accept(collector, loss);
      return loss.getFloat();
    }
  }

  /// Makes training steps on random batches.
  static void train(Trainer trainer, Random random, int steps) {
    for (int i = 0; i < steps; i++) {
      backward(trainer, random);
      trainer.step();
    }
  }

  /// Copies of all parameters, by name.
  static Map<String, float[]> weights(Block block) {
    Map<String, float[]> weights = new LinkedHashMap<>();
    for (Pair<String, Parameter> each : block.getParameters()) {
      weights.put(each.getKey(), each.getValue().getArray().toFloatArray());
    }
    return weights;
  }

  /// All parameters as text, bit by bit.
  static String bits(Block block) {
    StringBuilder text = new StringBuilder();
    weights(block)
        .forEach(
            (name, values) -> {
              int[] bits = new int[values.length];
              Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
              text.append(name).append(' ').append(Arrays.toString(bits)).append('\n');
            });
    return text.toString();
  }

  /// Sets the parameters of a block, in their memory.
  static void setWeights(Block block, Map<String, float[]> weights) {
    for (Pair<String, Parameter> each : block.getParameters()) {
      NDArray array = each.getValue().getArray();
      try (NDArray values =
          array.getManager().create(weights.get(each.getKey()), array.getShape())) {
        values.copyTo(array);
      }
    }
  }
}
