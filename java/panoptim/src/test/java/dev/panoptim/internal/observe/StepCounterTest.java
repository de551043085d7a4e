package dev.panoptim.internal.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Which steps are timed.
class StepCounterTest {
  private final StepCounter counter = new StepCounter();

  /// Makes a step.
  ///
  /// @return the number of steps that its duration counts for; 0 if it is not timed
  private long step(long elements) {
    long begin = counter.begin(elements);
    counter.end(begin, false);
    return begin == 0 ? 0 : counter.weight;
  }

  @Test
  void theFirstStepsAndLargeStepsAreTimed() {
    for (int i = 0; i < StepCounter.EVERY; i++) {
      assertEquals(1, step(5));
    }
    for (int i = 0; i < 3 * StepCounter.EVERY; i++) {
      assertEquals(1, step(StepCounter.ALWAYS_TIMED));
    }
  }

  /// Steps of some parameters take turns. Each of the small ones is timed, at the same rate.
  @Test
  void stepsThatTakeTurnsAreTimedEquallyOften() {
    for (int turns : new int[] {1, 2, 16, 128, 256, 1000}) {
      long[] counted = new long[turns];
      for (int i = 0; i < StepCounter.EVERY; i++) {
        step(5);
      }
      int rounds = 2 * StepCounter.EVERY;
      for (int i = 0; i < rounds * turns; i++) {
        // The first is large.
        counted[i % turns] += step(i % turns == 0 && turns > 1 ? StepCounter.ALWAYS_TIMED : 5);
      }
      for (long each : counted) {
        assertEquals(rounds, each, turns + ": " + Arrays.toString(counted));
      }
    }
  }

  @Test
  void aStepThatFailedIsNotCounted() {
    StepCounter open = new StepCounter();
    open.open(new Object());
    long before = StepCounter.totals().steps();
    assertNotEquals(0, open.begin(5));
    open.end(open.begin(5), true);
    assertEquals(before + 1, StepCounter.totals().steps());
    assertTrue(StepCounter.totals().skipped() > 0);
    open.close();
  }
}
