package dev.panoptim.internal.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The time that helpers watch for the next step, measured with a clock that the tests set.
class WatchTest {
  private static final long MICRO = 1000;

  private long now = 1_000_000_000;

  private void steps(Watch watch, int count, long pauseNanos) {
    for (int i = 0; i < count; i++) {
      watch.begins(now);
      now += 50 * MICRO;
      watch.ends(now);
      now += pauseNanos;
    }
  }

  @Test
  void theWatchFollowsThePauses() {
    Watch watch = Watch.adaptive();
    assertEquals(Watch.SHORT_NANOS, watch.nanos());
    steps(watch, 100, 100 * MICRO);
    long hundred = watch.nanos();
    assertTrue(hundred >= 195 * MICRO && hundred <= 205 * MICRO, hundred + " ns");
    steps(watch, 100, 250 * MICRO);
    assertEquals(Watch.LONGEST_NANOS, watch.nanos());
    steps(watch, 100, 400 * MICRO);
    assertEquals(Watch.SHORT_NANOS, watch.nanos());
    steps(watch, 100, 60 * MICRO);
    assertTrue(watch.nanos() < 130 * MICRO, watch.nanos() + " ns");
  }

  /// Pauses within the short watch are not counted, because a step may consist of several calls.
  @Test
  void shortPausesAreNotCounted() {
    Watch watch = Watch.adaptive();
    for (int i = 0; i < 100; i++) {
      steps(watch, 9, 2 * MICRO);
      steps(watch, 1, 200 * MICRO);
    }
    assertEquals(Watch.LONGEST_NANOS, watch.nanos());
  }

  @Test
  void oneLongPauseDoesNotPredictOthers() {
    Watch watch = Watch.adaptive();
    steps(watch, 100, 100 * MICRO);
    steps(watch, 1, 5_000_000 * MICRO);
    steps(watch, 1, 100 * MICRO);
    assertTrue(watch.nanos() > 200 * MICRO, watch.nanos() + " ns");
    steps(watch, 20, 5_000 * MICRO);
    assertEquals(Watch.SHORT_NANOS, watch.nanos());
  }

  @Test
  void helpersAreAwakeWithinTheWatch() {
    Watch watch = Watch.adaptive();
    assertTrue(!watch.staysAwake());
    steps(watch, 2, 100 * MICRO);
    assertTrue(!watch.staysAwake());
    steps(watch, 100, 100 * MICRO);
    assertTrue(watch.staysAwake());
    Watch none = Watch.fixed(0);
    steps(none, 100, 0);
    assertTrue(!none.staysAwake());
  }

  /// For all pauses and all durations of work, a helper watches at most half of the time, or the
  /// short watch after each step if that is longer.
  @Test
  void theBudgetBoundsTheTimeOfWatching() {
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 200; round++) {
      Watch watch = Watch.adaptive();
      Watch.Budget budget = watch.new Budget(now);
      long mostPause = random.nextLong(1, 2 * Watch.LONGEST_NANOS);
      long mostWork = random.nextLong(1, 200 * MICRO);
      long start = now;
      long spent = 0;
      int steps = random.nextInt(1, 20_000);
      for (int i = 0; i < steps; i++) {
        watch.begins(now);
        now += random.nextLong(mostWork);
        watch.ends(now);
        long pause = random.nextLong(mostPause / 2, mostPause + 1);
        long watched = Math.min(budget.begin(now), pause);
        budget.spend(now, now + watched);
        spent += watched;
        now += pause;
      }
      long half = (now - start) / 2 + Watch.Budget.MOST_SAVED_NANOS;
      long bound = Math.max(half, steps * Watch.SHORT_NANOS) + Watch.Budget.MOST_SAVED_NANOS;
      assertTrue(
          spent <= bound,
          "%d ns watched in %d, %d steps, seed %d".formatted(spent, now - start, steps, seed));
    }
  }

  /// Work of 70 us and pauses of 100 us: watching every pause would take more than half of the
  /// time.
  @Test
  void mostPausesAreWatchedIfAllWouldExceedTheBudget() {
    Watch watch = Watch.adaptive();
    Watch.Budget budget = watch.new Budget(now);
    int through = 0;
    for (int i = 0; i < 10_000; i++) {
      watch.begins(now);
      now += 70 * MICRO;
      watch.ends(now);
      long watched = Math.min(budget.begin(now), 100 * MICRO);
      budget.spend(now, now + watched);
      through += watched == 100 * MICRO ? 1 : 0;
      now += 100 * MICRO;
    }
    assertTrue(through > 6_500 && through < 9_000, through + " of 10000");
  }

  @Test
  void aFixedWatchOverridesTheAdaptiveOne() {
    Watch watch = Watch.fixed(2_000 * MICRO);
    Watch.Budget budget = watch.new Budget(now);
    for (int i = 0; i < 100; i++) {
      steps(watch, 1, 1_900 * MICRO);
      assertEquals(2_000 * MICRO, budget.begin(now));
      budget.spend(now - 1_900 * MICRO, now);
    }
    assertTrue(watch.staysAwake());
  }

  @Test
  void thePropertyIsReadOrRejected() {
    try {
      System.setProperty("panoptim.watch", "auto");
      assertEquals(Watch.SHORT_NANOS, Watch.ofProperty().nanos());
      System.setProperty("panoptim.watch", "300");
      assertEquals(300 * MICRO, Watch.ofProperty().nanos());
      System.setProperty("panoptim.watch", "0");
      assertEquals(0, Watch.ofProperty().nanos());
      for (String bad : List.of("-1", "1000001", "1e3", "AUTO", "")) {
        System.setProperty("panoptim.watch", bad);
        var e = assertThrows(IllegalArgumentException.class, ThreadProperties::requireValid);
        assertEquals(
            "system property panoptim.watch is '%s', but must be auto or a number of microseconds from 0 to 1000000"
                .formatted(bad),
            e.getMessage());
      }
    } finally {
      System.clearProperty("panoptim.watch");
    }
  }
}
