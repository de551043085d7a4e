package dev.panoptim.server.digits;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// A convolution, a hidden layer and an output for each class: probabilities of an image, and the
/// gradients of the cross-entropy. Both layers are rectified.
///
/// Not thread-safe: an object holds the results of its last image.
final class Network {
  static final int WINDOW = 5;
  static final int STRIDE = 2;
  static final int CHANNELS = 16;
  static final int HIDDEN = 64;

  /// Places of the window along a side of the image.
  private static final int PLACES = (Raster.SIDE - WINDOW) / STRIDE + 1;

  static final int CONVOLUTION = WINDOW * WINDOW * CHANNELS;
  static final int FEATURES = PLACES * PLACES * CHANNELS;

  /// The parameters of a class: the weights of the hidden units, and the bias.
  static final int CLASS_ROW = HIDDEN + 1;

  private final float[] features = new float[FEATURES];
  private final float[] hidden = new float[HIDDEN];
  private final float[] hiddenSlope = new float[HIDDEN];
  private final float[] featureSlope = new float[CHANNELS];

  /// The probability of each class.
  float[] probabilities(Weights weights, float[] pixels) {
    convolve(weights, pixels);
    MemorySegment.copy(weights.hiddenBias(), JAVA_FLOAT, 0, hidden, 0, HIDDEN);
    for (int i = 0; i < FEATURES; i++) {
      if (features[i] != 0) {
        Floats.addScaled(features[i], weights.hidden(), (long) i * HIDDEN, hidden, 0, HIDDEN);
      }
    }
    rectify(hidden);
    List<MemorySegment> rows = weights.classes();
    float[] outputs = new float[rows.size()];
    for (int i = 0; i < outputs.length; i++) {
      MemorySegment row = rows.get(i);
      outputs[i] = Floats.dot(hidden, row, 0, HIDDEN) + row.getAtIndex(JAVA_FLOAT, HIDDEN);
    }
    softmax(outputs);
    return outputs;
  }

  private void convolve(Weights weights, float[] pixels) {
    for (int row = 0; row < PLACES; row++) {
      for (int column = 0; column < PLACES; column++) {
        int to = (row * PLACES + column) * CHANNELS;
        MemorySegment.copy(weights.convolutionBias(), JAVA_FLOAT, 0, features, to, CHANNELS);
        for (int y = 0; y < WINDOW; y++) {
          for (int x = 0; x < WINDOW; x++) {
            float pixel = pixels[pixel(row, column, y, x)];
            if (pixel != 0) {
              Floats.addScaled(
                  pixel,
                  weights.convolution(),
                  (long) (y * WINDOW + x) * CHANNELS,
                  features,
                  to,
                  CHANNELS);
            }
          }
        }
      }
    }
    rectify(features);
  }

  private static int pixel(int row, int column, int y, int x) {
    return (row * STRIDE + y) * Raster.SIDE + column * STRIDE + x;
  }

  private static void rectify(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.max(values[i], 0);
    }
  }

  private static void softmax(float[] values) {
    float largest = Float.NEGATIVE_INFINITY;
    for (float each : values) {
      largest = Math.max(largest, each);
    }
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.exp(values[i] - largest);
      sum += values[i];
    }
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (values[i] / sum);
    }
  }

  /// Adds the gradients of `share` times the cross-entropy of one image.
  ///
  /// @param label the index of the right class
  /// @return the cross-entropy, without the share
  double addGradients(Weights weights, Weights gradients, float[] pixels, int label, float share) {
    float[] slopes = probabilities(weights, pixels);
    double loss = -Math.log(Math.max(slopes[label], Float.MIN_NORMAL));
    slopes[label] -= 1;
    Arrays.fill(hiddenSlope, 0);
    for (int i = 0; i < slopes.length; i++) {
      float slope = share * slopes[i];
      MemorySegment gradient = gradients.classes().get(i);
      Floats.addScaled(slope, hidden, 0, gradient, 0, HIDDEN);
      Floats.add(gradient, HIDDEN, slope);
      Floats.addScaled(slope, weights.classes().get(i), 0, hiddenSlope, 0, HIDDEN);
    }
    for (int i = 0; i < HIDDEN; i++) {
      if (hidden[i] == 0) {
        hiddenSlope[i] = 0;
      }
    }
    Floats.addScaled(1, hiddenSlope, 0, gradients.hiddenBias(), 0, HIDDEN);
    for (int place = 0; place < PLACES * PLACES; place++) {
      addGradientsOfPlace(weights, gradients, pixels, place);
    }
    return loss;
  }

  private void addGradientsOfPlace(Weights weights, Weights gradients, float[] pixels, int place) {
    boolean active = false;
    for (int channel = 0; channel < CHANNELS; channel++) {
      int at = place * CHANNELS + channel;
      featureSlope[channel] = 0;
      if (features[at] != 0) {
        long row = (long) at * HIDDEN;
        Floats.addScaled(features[at], hiddenSlope, 0, gradients.hidden(), row, HIDDEN);
        featureSlope[channel] = Floats.dot(hiddenSlope, weights.hidden(), row, HIDDEN);
        active = true;
      }
    }
    if (!active) {
      return;
    }
    Floats.addScaled(1, featureSlope, 0, gradients.convolutionBias(), 0, CHANNELS);
    for (int y = 0; y < WINDOW; y++) {
      for (int x = 0; x < WINDOW; x++) {
        float pixel = pixels[pixel(place / PLACES, place % PLACES, y, x)];
        if (pixel != 0) {
          Floats.addScaled(
              pixel,
              featureSlope,
              0,
              gradients.convolution(),
              (long) (y * WINDOW + x) * CHANNELS,
              CHANNELS);
        }
      }
    }
  }
}
