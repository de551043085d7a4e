package dev.panoptim.examples.serving;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The model learns, and weights of two steps are detected.
class EnsembleTest {
  private static final int ELEMENTS = 8 * Ensemble.COLUMNS;

  @ParameterizedTest
  @EnumSource
  void itLearnsWithoutTornPredictions(Mode mode) {
    Ensemble model = new Ensemble(ELEMENTS);
    try (Parameters parameters = model.newParameters(1);
        Optimizer optimizer = mode.newOptimizer(parameters)) {
      Parameter weights = Ensemble.weights(parameters);
      ModelAccess access = mode.share(model, weights, optimizer);
      optimizer.paramGroups().getFirst().setLearningRate(1e-2);
      double before = error(access);
      try (Learner learner = new Learner(model, weights, access, 0, 2)) {
        for (int i = 0; i < 500; i++) {
          learner.learnOnce();
        }
      }
      assertTrue(error(access) < before / 10, before + " became " + error(access));
      Prediction prediction = access.predict(0.5);
      assertEquals(500, prediction.step());
      assertFalse(prediction.torn());
    }
  }

  /// The mean squared error.
  private static double error(ModelAccess access) {
    double sum = 0;
    int count = 0;
    for (double x = -1; x <= 1; x += 0.125) {
      double error = access.predict(x).value() - Learner.target(x);
      sum += error * error;
      count++;
    }
    return sum / count;
  }

  @Test
  void weightsOfTwoStepsAreTornAtEveryRow() {
    Ensemble model = new Ensemble(ELEMENTS);
    long seed = System.nanoTime();
    try (Parameters parameters = model.newParameters(seed);
        Parameters later = model.newParameters(seed);
        Optimizer optimizer = Mode.LIVE.newOptimizer(later)) {
      MemorySegment data = Ensemble.weights(parameters).data();
      model.computeGradients(Ensemble.weights(later), 0.3, 1);
      optimizer.step();
      MemorySegment stepped = Ensemble.weights(later).data();
      assertFalse(model.predict(data, 0.7, 0).torn());
      assertFalse(model.predict(stepped, 0.7, 0).torn());
      // A step has written at least one more row.
      SplittableRandom random = new SplittableRandom(seed);
      for (int i = 0; i < 20; i++) {
        long bytes = random.nextLong(Ensemble.COLUMNS, ELEMENTS - Ensemble.COLUMNS) * Float.BYTES;
        try (Parameters half = model.newParameters(seed)) {
          MemorySegment torn = Ensemble.weights(half).data();
          MemorySegment.copy(stepped, 0, torn, 0, bytes);
          assertTrue(model.predict(torn, 0.7, 0).torn(), bytes + " bytes are new, seed " + seed);
        }
      }
    }
  }

  @Test
  void theAnswerIsTheMeanOfAllMembers() {
    Ensemble model = new Ensemble(ELEMENTS);
    try (Parameters parameters = model.newParameters(1)) {
      MemorySegment weights = Ensemble.weights(parameters).data();
      weights.fill((byte) 0);
      // The first Chebyshev polynomials are 1 and x; the second one is halved.
      weights.setAtIndex(JAVA_FLOAT, 0, 8);
      weights.setAtIndex(JAVA_FLOAT, 3 * Ensemble.COLUMNS + 1, 16);
      assertEquals(1 + 0.25, model.predict(weights, 0.25, 0).value(), 1e-6);
    }
  }

  @Test
  void otherSizesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Ensemble(0));
    assertThrows(IllegalArgumentException.class, () -> new Ensemble(Ensemble.COLUMNS));
    assertThrows(IllegalArgumentException.class, () -> new Ensemble(Ensemble.SMALLEST + 1));
  }
}
