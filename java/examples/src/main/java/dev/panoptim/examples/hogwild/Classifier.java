package dev.panoptim.examples.hogwild;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.SplittableRandom;

/// Logistic regression over random sparse examples, labelled by a hidden classifier. Each process
/// draws different examples.
final class Classifier {
  private static final int FEATURES = 2000;
  private static final int ACTIVE = 20;
  private static final int BATCH = 32;
  private static final int HELD_OUT = 5000;
  private static final long HIDDEN_SEED = 11;
  private static final long HELD_OUT_SEED = 12;

  /// @param active indices of the features that are 1
  /// @param member whether the example belongs to the class
  private record Example(int[] active, boolean member) {}

  private final float[] hidden = new float[FEATURES];
  private final MemorySegment weights;
  private final MemorySegment gradient;

  Classifier(Parameters parameters) {
    Parameter parameter = parameters.get("weights");
    weights = parameter.data();
    gradient = parameter.gradient();
    SplittableRandom random = new SplittableRandom(HIDDEN_SEED);
    for (int i = 0; i < FEATURES; i++) {
      hidden[i] = (float) random.nextGaussian();
    }
  }

  /// The weights, initially 0, in a file that all processes map.
  static Parameters parameters(Path folder) {
    return Parameters.builder()
        .add("weights", FEATURES)
        .buildShared(folder.resolve("parameters"), fresh -> {});
  }

  private Example next(SplittableRandom random) {
    int[] active = random.ints(ACTIVE, 0, FEATURES).toArray();
    double sum = 0;
    for (int each : active) {
      sum += hidden[each];
    }
    return new Example(active, sum > 0);
  }

  private double probability(Example example) {
    double sum = 0;
    for (int each : example.active) {
      sum += weights.getAtIndex(JAVA_FLOAT, each);
    }
    return 1 / (1 + Math.exp(-sum));
  }

  /// Writes the gradient of the mean loss over the next examples.
  void computeGradient(SplittableRandom random) {
    gradient.fill((byte) 0);
    for (int i = 0; i < BATCH; i++) {
      Example example = next(random);
      float error = (float) (probability(example) - (example.member ? 1 : 0)) / BATCH;
      for (int each : example.active) {
        gradient.setAtIndex(JAVA_FLOAT, each, gradient.getAtIndex(JAVA_FLOAT, each) + error);
      }
    }
  }

  /// The share of held-out examples that are classified correctly, from 0 to 1.
  double accuracy() {
    SplittableRandom random = new SplittableRandom(HELD_OUT_SEED);
    int right = 0;
    for (int i = 0; i < HELD_OUT; i++) {
      Example example = next(random);
      right += probability(example) > 0.5 == example.member ? 1 : 0;
    }
    return (double) right / HELD_OUT;
  }
}
