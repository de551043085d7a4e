package dev.panoptim.examples.serving;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/// An ensemble of linear models of one variable. Each row of the layer is a member: the weights of
/// [#COLUMNS] Chebyshev polynomials. The answer is the mean of all members, so a prediction reads
/// every weight.
///
/// Members form pairs, one in each half of the rows. Both start with the same weights and learn
/// from the same examples, so that after each step their weights have the same bits. A prediction
/// for which they differ has read the weights of two steps: it is torn.
///
/// Immutable. Callers synchronize the access to the given segments.
final class Ensemble {
  static final int COLUMNS = 1024;

  /// Elements come in multiples of two rows.
  static final int SMALLEST = 2 * COLUMNS;

  private static final String NAME = "weights";
  private static final double INITIAL_SCALE = 0.01;

  private final int members;

  /// @param elements floats of the layer: a positive multiple of [#SMALLEST]
  Ensemble(int elements) {
    if (elements < SMALLEST || elements % SMALLEST != 0) {
      throw new IllegalArgumentException(
          "elements is %s, but must be a positive multiple of %s".formatted(elements, SMALLEST));
    }
    members = elements / COLUMNS;
  }

  /// Parameters for this model, with random weights.
  Parameters newParameters(long seed) {
    Parameters parameters = Parameters.builder().add(NAME, (long) members * COLUMNS).build();
    MemorySegment weights = weights(parameters).data();
    SplittableRandom random = new SplittableRandom(seed);
    long half = members / 2 * (long) COLUMNS;
    for (long i = 0; i < half; i++) {
      float value = (float) (INITIAL_SCALE * random.nextDouble(-1, 1));
      weights.setAtIndex(JAVA_FLOAT, i, value);
      weights.setAtIndex(JAVA_FLOAT, half + i, value);
    }
    return parameters;
  }

  static Parameter weights(Parameters parameters) {
    return parameters.get(NAME);
  }

  /// The mean prediction of all members.
  ///
  /// @param weights of all members, row after row
  /// @param x from -1 to 1
  /// @param step the number of the step that produced the weights
  Prediction predict(MemorySegment weights, double x, long step) {
    float[] features = features(x);
    int half = members / 2;
    boolean torn = false;
    double sum = 0;
    for (int member = 0; member < half; member++) {
      float one = dot(weights, member, features);
      float twin = dot(weights, half + member, features);
      torn |= Float.floatToRawIntBits(one) != Float.floatToRawIntBits(twin);
      sum += (double) one + twin;
    }
    return new Prediction(sum / members, step, torn);
  }

  /// Writes the gradients of half the squared error of each member for one example.
  void computeGradients(Parameter parameter, double x, double target) {
    float[] features = features(x);
    MemorySegment weights = parameter.data();
    MemorySegment gradients = parameter.gradient();
    for (int member = 0; member < members; member++) {
      float error = dot(weights, member, features) - (float) target;
      long row = (long) member * COLUMNS;
      for (int i = 0; i < COLUMNS; i++) {
        gradients.setAtIndex(JAVA_FLOAT, row + i, error * features[i]);
      }
    }
  }

  /// One chain of fused multiply-adds. Its speed is limited by the processor's arithmetic rather
  /// than by the memory.
  private static float dot(MemorySegment weights, int member, float[] features) {
    long row = (long) member * COLUMNS;
    float sum = 0;
    for (int i = 0; i < COLUMNS; i++) {
      sum = Math.fma(weights.getAtIndex(JAVA_FLOAT, row + i), features[i], sum);
    }
    return sum;
  }

  /// The Chebyshev polynomials at `x`, each divided by its index from 1, because smooth functions
  /// have small high coefficients.
  private static float[] features(double x) {
    float[] features = new float[COLUMNS];
    double before = x;
    double now = 1;
    for (int i = 0; i < COLUMNS; i++) {
      features[i] = (float) (now / (i + 1));
      double next = 2 * x * now - before;
      before = now;
      now = next;
    }
    return features;
  }
}
