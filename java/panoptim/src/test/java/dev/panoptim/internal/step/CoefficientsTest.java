package dev.panoptim.internal.step;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
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
    return adamw(ADAMW, beta1, beta2, step);
  }

  private static Coefficients adamw(Rule rule, double beta1, double beta2, long step) {
    Coefficients c = new Coefficients();
    c.compute(
        rule,
        new Hyperparameters(
            rule,
            Map.of(
                Hyperparameter.LEARNING_RATE, 1e-3,
                Hyperparameter.BETA1, beta1,
                Hyperparameter.BETA2, beta2,
                Hyperparameter.EPSILON, 1e-8,
                Hyperparameter.WEIGHT_DECAY, 1e-2)),
        step,
        new double[0]);
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

  @Test
  void epsilonBeforeTheCorrectionIsNotCorrected() {
    Rule before = ADAMW.toBuilder().epsilonBeforeCorrection(true).build();
    for (long step : new long[] {1, 7, 1_000_000}) {
      Coefficients c = adamw(before, 0.9, 0.999, step);
      assertEquals(1e-8f, c.epsilon);
      assertEquals(adamw(0.9, 0.999, step).stepSize, c.stepSize);
    }
    Rule inside = before.toBuilder().epsilonInside(true).build();
    assertEquals(1e-8f, adamw(inside, 0.9, 0.999, 7).epsilonInside);
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
    c.compute(MOMENTUM, values, 1, new double[0]);
    assertEquals(1, c.firstTake);
    assertEquals(0, c.firstDecay);
    assertEquals(-1, c.gradientScale);
    assertEquals(0.25f, c.weightDecay);
    c.compute(MOMENTUM, values, 2, new double[0]);
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

  private static Hyperparameters values(Rule rule, Random random) {
    Map<Hyperparameter, Double> all = new EnumMap<>(Hyperparameter.class);
    for (Hyperparameter each : rule.hyperparameters()) {
      all.put(each, value(each, random));
    }
    return new Hyperparameters(rule, all);
  }

  private static double value(Hyperparameter each, Random random) {
    return switch (each) {
      case DAMPENING -> 0;
      case BETA1, BETA2, MOMENTUM -> 0.5 + random.nextDouble() / 2;
      default -> random.nextDouble() / 100;
    };
  }

  private static List<Float> all(Coefficients c) {
    return List.of(
        c.epsilonInside,
        c.epsilon,
        c.stepSize,
        c.gradientScale,
        c.averageTake,
        c.weightDecay,
        c.firstDecay,
        c.firstDecayRest,
        c.firstTake,
        c.secondDecay,
        c.secondDecayRest,
        c.secondTake,
        c.nesterovInput,
        c.nesterovMoment,
        c.divides);
  }

  private static List<Float> underVersion(Coefficients c) {
    List<Float> all = all(c);
    return all.subList(3, all.size());
  }

  /// An object that computes coefficients repeatedly, for changing rules and values, has the same
  /// coefficients as a new object. The version grows if a coefficient under the version changes.
  @Test
  void keptCoefficientsEqualNewOnes() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<Rule> rules =
        List.of(
            ADAMW,
            MOMENTUM,
            Rule.builder().firstMoment(FirstMoment.HEAVY_BALL).nesterov(Nesterov.NESTEROV).build(),
            Rule.builder()
                .firstMoment(FirstMoment.MOVING_AVERAGE)
                .secondMoment(SecondMoment.MOVING_AVERAGE)
                .nesterov(Nesterov.SCHEDULED)
                .biasCorrection(true)
                .build(),
            Rule.builder()
                .firstMoment(FirstMoment.MOVING_AVERAGE)
                .secondMoment(SecondMoment.RECTIFIED_AVERAGE)
                .biasCorrection(true)
                .build(),
            Rule.builder()
                .firstMoment(FirstMoment.MOVING_AVERAGE)
                .nesterov(Nesterov.INTERPOLATED)
                .sign(true)
                .decay(Decay.DECOUPLED)
                .build(),
            Rule.builder().secondMoment(SecondMoment.SUM).build(),
            Rule.builder()
                .secondMoment(SecondMoment.MOVING_AVERAGE)
                .epsilonInside(true)
                .unitCorrection(true)
                .build());
    for (int round = 0; round < 50; round++) {
      Coefficients kept = new Coefficients();
      long step = 1;
      for (int i = 0; i < 200; i++) {
        // The same object also serves other rules and values, because tables of coefficients are
        // used again.
        Rule rule = rules.get(random.nextInt(rules.size()));
        Hyperparameters values = values(rule, random);
        for (int j = 0; j < 4; j++) {
          List<Float> before = underVersion(kept);
          long version = kept.version();
          int scalars = rule.scalarNames().size();
          double[] scalarsBefore = random.doubles(scalars).toArray();
          float scale = random.nextInt(3) == 0 ? Float.NaN : random.nextInt(1, 4);
          float take = random.nextBoolean() ? Float.NaN : random.nextFloat();
          Coefficients fresh = new Coefficients();
          for (Coefficients each : List.of(kept, fresh)) {
            each.compute(rule, values, step, scalarsBefore);
            each.scaleGradients(scale);
            each.averageParameters(take);
          }
          String what = "seed %s, step %s, %s".formatted(seed, step, rule.describe());
          assertEquals(all(fresh), all(kept), what);
          for (int k = 0; k < scalars; k++) {
            assertEquals(fresh.scalars[k], kept.scalars[k], what);
          }
          assertTrue(
              kept.version() > version || underVersion(kept).equals(before),
              () -> what + ": changed under version " + version);
          step = random.nextInt(4) == 0 ? 1 : step + random.nextInt(1000);
          if (random.nextBoolean()) {
            Hyperparameter changed =
                List.copyOf(rule.hyperparameters())
                    .get(random.nextInt(rule.hyperparameters().size()));
            values.set(changed, value(changed, random));
          }
        }
      }
    }
  }

  @Test
  void theVersionStaysWhileOnlyTheStepChanges() {
    Hyperparameters values =
        new Hyperparameters(
            ADAMW,
            Map.of(
                Hyperparameter.LEARNING_RATE, 1e-3,
                Hyperparameter.BETA1, 0.9,
                Hyperparameter.BETA2, 0.999,
                Hyperparameter.EPSILON, 1e-8,
                Hyperparameter.WEIGHT_DECAY, 1e-2));
    Coefficients c = new Coefficients();
    c.compute(ADAMW, values, 1, new double[0]);
    c.averageParameters(Float.NaN);
    long version = c.version();
    for (long step = 2; step < 100; step++) {
      c.compute(ADAMW, values, step, new double[0]);
      c.scaleGradients(1);
      c.averageParameters(Float.NaN);
      assertEquals(version, c.version());
    }
    values.setAll(Map.of(Hyperparameter.WEIGHT_DECAY, 0.5));
    c.compute(ADAMW, values, 100, new double[0]);
    assertTrue(c.version() > version);
    assertEquals((float) (1e-3 * 0.5), c.weightDecay);
  }
}
