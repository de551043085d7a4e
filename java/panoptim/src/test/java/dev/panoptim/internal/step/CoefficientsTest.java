package dev.panoptim.internal.step;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CoefficientsTest {
  private static final Rule ADAMW =
      Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.MOVING_AVERAGE)
          .biasCorrection(true)
          .decay(Decay.DECOUPLED)
          .build();
  private static final Rule MOMENTUM =
      Rule.builder().firstMoment(FirstMoment.HEAVY_BALL).decay(Decay.L2).maximize(true).build();

  private static Coefficients adamw(double beta1, double beta2, long step) {
    Coefficients c = new Coefficients();
    c.compute(
        ADAMW,
        new Hyperparameters(
            ADAMW,
            Map.of(
                Hyperparameter.LEARNING_RATE, 1e-3,
                Hyperparameter.BETA1, beta1,
                Hyperparameter.BETA2, beta2,
                Hyperparameter.EPSILON, 1e-8,
                Hyperparameter.WEIGHT_DECAY, 1e-2)),
        step,
        1);
    return c;
  }

  @Test
  void aDecayIsTheSumOfItsTwoFloats() {
    for (double beta : new double[] {0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999999}) {
      Coefficients c = adamw(beta, beta, 3);
      assertEquals(beta, (double) c.firstDecay + c.firstDecayRest, 1e-14);
      assertEquals(beta, (double) c.secondDecay + c.secondDecayRest, 1e-14);
      assertTrue(c.firstDecayRest > 0 || beta == 0, "an infinite state must keep its sign");
    }
  }

  @Test
  void biasCorrectionIsOneFactorAndAnEpsilon() {
    Coefficients c = adamw(0.9, 0.999, 7);
    double root = Math.sqrt(1 - Math.pow(0.999, 7));
    assertEquals((float) (1e-3 / (1 - Math.pow(0.9, 7)) * root), c.stepSize);
    assertEquals((float) (1e-8 * root), c.epsilon);
    assertEquals((float) 1e-5, c.weightDecay);
  }

  /// A float counter would stop at 2^24.
  @Test
  void stepsAreCountedBeyondWhatAFloatCanHold() {
    Coefficients c = adamw(0.9, 1 - 1e-9, (1L << 40) + 1);
    assertEquals(1e-3f, c.stepSize);
  }

  @Test
  void theFirstStepOfTheHeavyBallTakesTheWholeGradient() {
    Hyperparameters values =
        new Hyperparameters(
            MOMENTUM,
            Map.of(
                Hyperparameter.LEARNING_RATE, 0.1,
                Hyperparameter.MOMENTUM, 0.9,
                Hyperparameter.DAMPENING, 0.5,
                Hyperparameter.WEIGHT_DECAY, 0.25));
    Coefficients c = new Coefficients();
    c.compute(MOMENTUM, values, 1, 1);
    assertEquals(1, c.firstTake);
    assertEquals(0, c.firstDecay);
    assertEquals(-1, c.gradientScale);
    assertEquals(0.25f, c.weightDecay);
    c.compute(MOMENTUM, values, 2, 1);
    assertEquals(0.5f, c.firstTake);
    assertEquals(0.9f, c.firstDecay, 1e-7f);
  }

  @Test
  void everyHyperparameterOfARuleNeedsAValueAndNoOther() {
    assertThrows(IllegalArgumentException.class, () -> new Hyperparameters(ADAMW, Map.of()));
    Hyperparameters values =
        new Hyperparameters(
            MOMENTUM,
            Map.of(
                Hyperparameter.LEARNING_RATE, 0.1,
                Hyperparameter.MOMENTUM, 0.9,
                Hyperparameter.DAMPENING, 0.5,
                Hyperparameter.WEIGHT_DECAY, 0.25));
    assertThrows(IllegalArgumentException.class, () -> values.set(Hyperparameter.EPSILON, 1e-8));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            values.with(Map.of(Hyperparameter.LEARNING_RATE, 1.0, Hyperparameter.MOMENTUM, -1.0)));
    assertEquals(0.1, values.get(Hyperparameter.LEARNING_RATE));
  }
}
