package dev.panoptim.examples.bridges;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/// A multi-layer perceptron for [Digits]: layers of equal width with ReLU between them.
public enum ModelSize {
  /// 20 tensors with 107,791 parameters.
  SMALL(10, 111, 1e-3f),
  /// 100 tensors with 9,775,360 parameters.
  LARGE(50, 450, 3e-4f);

  private final int layers;
  private final int units;
  private final float learningRate;

  ModelSize(int layers, int units, float learningRate) {
    this.layers = layers;
    this.units = units;
    this.learningRate = learningRate;
  }

  /// Number of layers, each with a weight and a bias.
  public int layers() {
    return layers;
  }

  /// Number of inputs of a layer.
  ///
  /// @param layer 0 to `layers() - 1`
  public int inputs(int layer) {
    return layer == 0 ? Digits.PIXELS : units;
  }

  /// Number of outputs of a layer. All but the last layer are followed by ReLU.
  public int outputs(int layer) {
    return layer == layers - 1 ? Digits.CLASSES : units;
  }

  /// The learning rate of Adam that trains the model well.
  public float learningRate() {
    return learningRate;
  }

  /// Number of tensors.
  public int tensors() {
    return 2 * layers;
  }

  /// Number of parameters of all tensors.
  public long parameters() {
    long sum = 0;
    for (int i = 0; i < layers; i++) {
      sum += (inputs(i) + 1L) * outputs(i);
    }
    return sum;
  }

  /// Initial parameters: for each layer the weight, then the bias, which is 0. A weight has one row
  /// for each output, as in PyTorch.
  ///
  /// Square weights begin near the identity, as proposed by [Le, Jaitly and Hinton
  /// 2015](https://arxiv.org/abs/1504.00941). A perceptron of 50 layers with Gaussian weights does
  /// not learn in a short training.
  public List<float[]> initialParameters(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<float[]> parameters = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      boolean square = inputs(i) == outputs(i);
      double deviation = square ? 0.2 / Math.sqrt(inputs(i)) : Math.sqrt(2.0 / inputs(i));
      float[] weight = new float[inputs(i) * outputs(i)];
      for (int j = 0; j < weight.length; j++) {
        boolean diagonal = square && j % (inputs(i) + 1) == 0;
        weight[j] = (float) (deviation * random.nextGaussian() + (diagonal ? 1 : 0));
      }
      parameters.add(weight);
      parameters.add(new float[outputs(i)]);
    }
    return parameters;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
