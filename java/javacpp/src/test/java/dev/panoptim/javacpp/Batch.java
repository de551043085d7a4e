package dev.panoptim.javacpp;

import java.util.Random;
import org.bytedeco.pytorch.Tensor;

/// Points around the centre of their class, which is a corner of a cube.
record Batch(Tensor inputs, Tensor labels) {
  private static final float SPREAD = 0.4f;

  /// @param rows the number of points
  static Batch of(Random random, int rows) {
    float[] x = new float[rows * TinyNet.INPUTS];
    long[] y = new long[rows];
    for (int i = 0; i < rows; i++) {
      int label = random.nextInt(TinyNet.CLASSES);
      y[i] = label;
      for (int j = 0; j < TinyNet.INPUTS; j++) {
        float centre = (label >> (j % 2) & 1) == 1 ? 1 : -1;
        x[i * TinyNet.INPUTS + j] = centre + SPREAD * (float) random.nextGaussian();
      }
    }
    return new Batch(Tensor.create(x, rows, TinyNet.INPUTS), Tensor.create(y, rows));
  }
}
