package dev.panoptim.examples.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// Percentiles by nearest rank, and medians.
class LatenciesTest {
  private static final long MILLI = 1_000_000;

  /// 1 to `count` milliseconds, in random order.
  private static Latencies upTo(int count, long seed) {
    long[] nanos = LongStream.rangeClosed(1, count).map(each -> each * MILLI).toArray();
    Random random = new Random(seed);
    for (int i = count - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      long kept = nanos[i];
      nanos[i] = nanos[other];
      nanos[other] = kept;
    }
    return new Latencies(nanos);
  }

  @Test
  void percentilesAreTheNearestRank() {
    long seed = System.nanoTime();
    String said = "seed " + seed;
    assertEquals(500, upTo(1000, seed).percentile(500).orElseThrow(), said);
    assertEquals(990, upTo(1000, seed).percentile(990).orElseThrow(), said);
    assertEquals(999, upTo(1000, seed).percentile(999).orElseThrow(), said);
    assertEquals(99, upTo(100, seed).percentile(990).orElseThrow(), said);
    // The ranks 247.5 and 2.5 are rounded up.
    assertEquals(248, upTo(250, seed).percentile(990).orElseThrow(), said);
    assertEquals(3, upTo(5, seed).percentile(500).orElseThrow(), said);
    assertEquals(1, upTo(5, seed).percentile(1).orElseThrow(), said);
    assertEquals(1, upTo(2, seed).percentile(500).orElseThrow(), said);
  }

  /// The definition: the smallest value that is not exceeded by the given share of all values.
  @Test
  void percentilesAreTheSmallestValueThatTheShareDoesNotExceed() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      long[] nanos = random.longs(1 + random.nextInt(3000), 0, 50).map(i -> i * MILLI).toArray();
      int perMille = 1 + random.nextInt(999);
      long[] sorted = nanos.clone();
      Arrays.sort(sorted);
      OptionalDouble expected =
          nanos.length * (1000L - perMille) < 1000
              ? OptionalDouble.empty()
              : Arrays.stream(sorted)
                  .filter(each -> share(sorted, each) * 1000 >= (long) perMille * sorted.length)
                  .mapToDouble(each -> each / (double) MILLI)
                  .findFirst();
      assertEquals(expected, new Latencies(nanos).percentile(perMille), "seed " + seed);
    }
  }

  private static long share(long[] values, long limit) {
    return Arrays.stream(values).filter(each -> each <= limit).count();
  }

  @Test
  void tooFewValuesHaveNoHighPercentile() {
    assertTrue(upTo(99, 1).percentile(990).isEmpty());
    assertTrue(upTo(999, 1).percentile(999).isEmpty());
    assertTrue(upTo(1, 1).percentile(500).isEmpty());
    assertTrue(new Latencies(new long[0]).percentile(500).isEmpty());
    assertThrows(IllegalArgumentException.class, () -> upTo(9, 1).percentile(0));
    assertThrows(IllegalArgumentException.class, () -> upTo(9, 1).percentile(1000));
  }

  @Test
  void mediansAreMiddleValues() {
    assertEquals(2, Latencies.median(3, 1, 2).orElseThrow());
    assertEquals(2.5, Latencies.median(4, 1, 3, 2).orElseThrow());
    assertEquals(7, Latencies.median(7).orElseThrow());
    assertTrue(Latencies.median().isEmpty());
  }

  @Test
  void theGivenArrayIsUnchanged() {
    long[] nanos = {3, 1, 2};
    Latencies latencies = new Latencies(nanos);
    nanos[0] = 9 * MILLI;
    assertEquals(3, latencies.count());
    assertEquals(2e-6, latencies.percentile(500).orElseThrow());
    assertEquals(1, nanos[1]);
  }
}
