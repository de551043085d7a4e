package dev.panoptim.examples.bridges.javacpp;

import dev.panoptim.examples.bridges.Digits;
import dev.panoptim.examples.bridges.TrainingSetup;
import dev.panoptim.examples.bridges.TrainingSide;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A perceptron of libtorch with one of the two optimizers.
final class TorchSide implements TrainingSide {
  private record Batch(Tensor pictures, Tensor labels) {}

  private final Perceptron model;
  private final PerceptronOptimizer optimizer;
  private final List<Batch> batches = new ArrayList<>();
  private long optimizerNanos;
  private double loss;

  TorchSide(TrainingSetup setup, BiFunction<Module, Double, PerceptronOptimizer> optimizers) {
    model = new Perceptron(setup.size(), setup.parameters());
    optimizer = optimizers.apply(model, (double) setup.size().learningRate());
    Digits digits = setup.training();
    for (int i = 0; i < setup.batches(); i++) {
      int from = i * setup.batchSize();
      int to = from + setup.batchSize();
      batches.add(new Batch(pictures(digits, from, to), labels(digits.labels(from, to))));
    }
  }

  private static Tensor pictures(Digits digits, int from, int to) {
    return Tensor.create(digits.pixels(from, to), to - from, Digits.PIXELS);
  }

  private static Tensor labels(int[] labels) {
    return Tensor.create(Arrays.stream(labels).asLongStream().toArray(), labels.length);
  }

  @Override
  public void step(int index) {
    Batch batch = batches.get(index);
    // Frees the tensors of the forward pass at once, and not when they are collected.
    try (PointerScope _ = new PointerScope()) {
      Tensor crossEntropy =
          torch.cross_entropy_loss(model.forward(batch.pictures()), batch.labels());
      crossEntropy.backward();
      loss = crossEntropy.item_float();
    }
    long start = System.nanoTime();
    optimizer.step();
    optimizer.dropGradients();
    optimizerNanos += System.nanoTime() - start;
  }

  @Override
  public long optimizerNanos() {
    return optimizerNanos;
  }

  @Override
  public double loss() {
    return loss;
  }

  @Override
  public float[] scores(Digits digits) {
    try (PointerScope _ = new PointerScope()) {
      Tensor scores = model.forward(pictures(digits, 0, digits.count()));
      float[] values = new float[digits.count() * Digits.CLASSES];
      new FloatPointer(scores.data_ptr_float()).get(values);
      return values;
    }
  }

  @Override
  public void close() {
    optimizer.close();
  }
}
