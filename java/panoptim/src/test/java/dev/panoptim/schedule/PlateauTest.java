package dev.panoptim.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.schedule.ReduceOnPlateau.Mode;
import dev.panoptim.schedule.ReduceOnPlateau.ThresholdMode;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The metrics that a plateau accepts as better, for positive and negative best metrics.
class PlateauTest {
  private static final double INFINITY = Double.POSITIVE_INFINITY;

  private static ReduceOnPlateau relative(Mode mode, double threshold) {
    return ReduceOnPlateau.builder().mode(mode).threshold(threshold).patience(3).build();
  }

  /// The formula of PyTorch's `_is_better`.
  private static boolean ofPyTorch(Mode mode, double threshold, double metric, double best) {
    return mode == Mode.MIN ? metric < best * (1 - threshold) : metric > best * (threshold + 1);
  }

  /// The log-likelihood of a training that has stopped improving must be reduced. A worse one must
  /// not become the best one.
  @Test
  void aNegativeMetricThatStaysIsAPlateau() {
    for (Mode mode : Mode.values()) {
      for (double level : new double[] {-2, -1e-300, -1e300, 2, 0, -0.0}) {
        Plateau plateau = new Plateau(relative(mode, 0.1));
        assertFalse(plateau.observe(level));
        int reductions = 0;
        for (int i = 0; i < 20; i++) {
          // A slightly worse metric, then the best one again.
          double worse = level + (mode == Mode.MIN ? 1 : -1) * Math.abs(level) * 0.05;
          reductions += plateau.observe(i % 2 == 0 ? worse : level) ? 1 : 0;
          assertEquals(level, plateau.doubles().get("best"), mode + " at " + level);
        }
        assertEquals(5, reductions, mode + " at " + level);
      }
    }
  }

  @Test
  void theMarginIsAShareOfTheAbsoluteValue() {
    ReduceOnPlateau min = relative(Mode.MIN, 0.1);
    assertFalse(min.isBetter(-9, -10), "worse");
    assertFalse(min.isBetter(-10, -10));
    assertFalse(min.isBetter(-10.9, -10), "within the margin");
    assertTrue(min.isBetter(-11.1, -10));
    assertFalse(min.isBetter(9.1, 10));
    assertTrue(min.isBetter(8.9, 10));
    ReduceOnPlateau max = relative(Mode.MAX, 0.1);
    assertFalse(max.isBetter(-11, -10), "worse");
    assertFalse(max.isBetter(-9.1, -10), "within the margin");
    assertTrue(max.isBetter(-8.9, -10));
    assertFalse(max.isBetter(10.9, 10));
    assertTrue(max.isBetter(11.1, 10));
    // The two metrics have different signs.
    assertTrue(min.isBetter(-1, 1));
    assertTrue(max.isBetter(1, -1));
    assertFalse(min.isBetter(1, -1));
    assertFalse(max.isBetter(-1, 1));
  }

  @Test
  void aBestMetricOfZeroHasNoMargin() {
    for (double zero : new double[] {0.0, -0.0}) {
      assertTrue(relative(Mode.MIN, 0.5).isBetter(-Double.MIN_VALUE, zero));
      assertFalse(relative(Mode.MIN, 0.5).isBetter(-zero, zero));
      assertFalse(relative(Mode.MIN, 0.5).isBetter(Double.MIN_VALUE, zero));
      assertTrue(relative(Mode.MAX, 0.5).isBetter(Double.MIN_VALUE, zero));
      assertFalse(relative(Mode.MAX, 0.5).isBetter(-zero, zero));
      assertFalse(relative(Mode.MAX, 0.5).isBetter(-Double.MIN_VALUE, zero));
    }
  }

  /// The case includes thresholds of 1 and above, for which the products become 0 or NaN.
  @Test
  void anyFiniteMetricIsBetterThanNone() {
    for (ThresholdMode thresholdMode : ThresholdMode.values()) {
      for (double threshold : new double[] {0, 1e-4, 1, 2, 1e300}) {
        for (double metric : new double[] {-1e300, -1, -0.0, 0, 1, 1e300}) {
          for (Mode mode : Mode.values()) {
            ReduceOnPlateau options =
                ReduceOnPlateau.builder()
                    .mode(mode)
                    .threshold(threshold)
                    .thresholdMode(thresholdMode)
                    .build();
            String what = options + " with " + metric;
            assertTrue(options.isBetter(metric, options.worst()), what);
            assertFalse(options.isBetter(options.worst(), options.worst()), what);
            assertFalse(options.isBetter(metric, -options.worst()), what);
            assertFalse(options.isBetter(-options.worst(), -options.worst()), what);
            if (threshold <= 2) { // A larger share of 1e300 is infinite.
              assertTrue(options.isBetter(-options.worst(), metric), what);
            }
            assertFalse(options.isBetter(Double.NaN, metric), what);
            assertFalse(options.isBetter(Double.NaN, options.worst()), what);
          }
        }
      }
    }
  }

  /// NaN does not count as better and leaves the best metric unchanged.
  @Test
  void nanMetricsAreNotBetter() {
    Plateau plateau = new Plateau(relative(Mode.MIN, 0.1));
    plateau.observe(-5);
    int reductions = 0;
    for (int i = 0; i < 8; i++) {
      reductions += plateau.observe(i % 2 == 0 ? Double.NaN : INFINITY) ? 1 : 0;
    }
    assertEquals(2, reductions);
    assertEquals(-5, plateau.doubles().get("best"));
  }

  /// For metrics of 0 or more, every decision equals PyTorch's, including all roundings.
  @Test
  void nonNegativeMetricsAreJudgedLikeInPyTorch() {
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 1_000_000; i++) {
      double threshold = random.nextInt(4) == 0 ? random.nextDouble(3) : random.nextDouble() * 1e-3;
      double best = Math.scalb(random.nextDouble(), random.nextInt(-1080, 1024));
      double edge = random.nextBoolean() ? best * (1 - threshold) : best * (threshold + 1);
      double metric =
          switch (random.nextInt(4)) {
            case 0 -> edge;
            case 1 -> Math.nextUp(edge);
            case 2 -> Math.nextDown(edge);
            default -> best * random.nextDouble(2);
          };
      if (metric < 0) {
        continue;
      }
      for (Mode mode : Mode.values()) {
        if (ofPyTorch(mode, threshold, metric, best)
            != relative(mode, threshold).isBetter(metric, best)) {
          throw new AssertionError(
              "seed " + seed + ": " + mode + " " + threshold + " " + metric + " " + best);
        }
      }
    }
  }

  /// Negative metrics are mirrored: better in one mode is worse in the other.
  @Test
  void negativeMetricsAreAMirrorOfPositiveOnes() {
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 200_000; i++) {
      double threshold = random.nextDouble(2);
      double best = random.nextDouble(-2, 2);
      double metric = best * random.nextDouble(2);
      assertEquals(
          relative(Mode.MIN, threshold).isBetter(metric, best),
          relative(Mode.MAX, threshold).isBetter(-metric, -best),
          () -> "seed " + seed);
    }
  }
}
