package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Small gradients, for which the place of epsilon counts, against the formulas in double.
class EpsilonPlaceTest {
  private static final int STEPS = 200;
  private static final int SIZE = 64;
  private static final double RATE = 1e-3;
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;
  private static final double EPSILON = 1e-6;

  private static float gradient(SplittableRandom random) {
    return (float) (random.nextGaussian() * 1e-4);
  }

  private static double[] expected(boolean before) {
    SplittableRandom random = new SplittableRandom(9);
    double[] w = new double[SIZE];
    double[] m = new double[SIZE];
    double[] v = new double[SIZE];
    for (int t = 1; t <= STEPS; t++) {
      double first = 1 - Math.pow(BETA1, t);
      double root = Math.sqrt(1 - Math.pow(BETA2, t));
      for (int i = 0; i < SIZE; i++) {
        double g = gradient(random);
        m[i] = BETA1 * m[i] + (1 - BETA1) * g;
        v[i] = BETA2 * v[i] + (1 - BETA2) * g * g;
        w[i] -=
            before
                ? RATE * root / first * m[i] / (Math.sqrt(v[i]) + EPSILON)
                : RATE * (m[i] / first) / (Math.sqrt(v[i]) / root + EPSILON);
      }
    }
    return w;
  }

  private static float[] trained(boolean before) {
    SplittableRandom random = new SplittableRandom(9);
    try (Parameters parameters = Parameters.builder().add("w", SIZE).build();
        Optimizer optimizer =
            Adam.builder(parameters)
                .learningRate(RATE)
                .epsilon(EPSILON)
                .epsilonBeforeCorrection(before)
                .build()) {
      Parameter w = parameters.get("w");
      for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < SIZE; i++) {
          w.gradient().setAtIndex(JAVA_FLOAT, i, gradient(random));
        }
        optimizer.step();
      }
      return w.data().toArray(JAVA_FLOAT);
    }
  }

  @Test
  void eachPlaceFollowsItsFormulaAndTheyDiffer() {
    double[] after = expected(false);
    double[] before = expected(true);
    float[] ours = trained(false);
    float[] oursBefore = trained(true);
    double apart = 0;
    for (int i = 0; i < SIZE; i++) {
      assertEquals(after[i], ours[i], 1e-6);
      assertEquals(before[i], oursBefore[i], 1e-6);
      apart = Math.max(apart, Math.abs(after[i] - before[i]));
    }
    assertTrue(apart > 1e-4, "the two are apart by " + apart);
  }
}
