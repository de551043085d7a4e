package dev.panoptim.internal.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Allocations;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SightingsTest {
  private static final long NEVER = Long.MAX_VALUE;

  private final OwnedArena arena = OwnedArena.of(MemoryKind.TABLES, Origin.here("a test"));

  @AfterEach
  void close() {
    arena.close();
  }

  private Sightings sightings(long expectedIds, long period) {
    return new Sightings(expectedIds, period, arena);
  }

  @Test
  void countsFewIdsExactly() {
    Sightings sightings = sightings(1000, NEVER);
    for (int times = 1; times <= 50; times++) {
      for (long id : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, 42}) {
        assertEquals(times, sightings.add(id));
      }
    }
    assertEquals(250, sightings.additions());
  }

  @Test
  void staysAtTheLargestCount() {
    Sightings sightings = sightings(1, NEVER);
    for (int i = 1; i < 1000; i++) {
      assertEquals(Math.min(i, Sightings.MOST), sightings.add(7));
    }
  }

  /// The counts are halved at once, though the bytes are halved gradually.
  @Test
  void countsAreHalvedAfterEachPeriod() {
    Sightings sightings = sightings(100_000, 40);
    for (int i = 1; i <= 40; i++) {
      assertEquals(i, sightings.add(7));
    }
    for (int i = 1; i <= 40; i++) {
      assertEquals(20 + i, sightings.add(7));
    }
    assertEquals(31, sightings.add(7));
  }

  @Test
  void aByteThatIsNotHalvedYetCountsUpToHalf() {
    Sightings sightings = sightings(100_000, 1_000_000);
    for (int i = 0; i < 1_000_000; i++) {
      sightings.add(7);
    }
    assertEquals(Sightings.MOST / 2, sightings.add(7));
    assertEquals(Sightings.MOST / 2, sightings.add(7));
    // An addition halves 64 bytes, and the ids that follow do not share all counters with 7.
    for (int i = 0; i < sightings.memory().byteSize() / 64; i++) {
      sightings.add(-i);
    }
    assertEquals(Sightings.MOST / 2 + 1, sightings.add(7));
  }

  /// Compares with exact counts that are halved at once: no estimate is smaller, even in the middle
  /// of a halving.
  @ParameterizedTest
  @CsvSource({"1000, 5000", "1000, 50", "64, 1", "5000, 10007", "20000, 2000"})
  void neverUnderestimates(long expectedIds, long period) {
    long seed = System.nanoTime();
    System.out.println("SightingsTest: seed " + seed);
    Random random = new Random(seed);
    Sightings sightings = sightings(expectedIds, period);
    Map<Long, Integer> exact = new HashMap<>();
    for (int i = 0; i < 20_000; i++) {
      if (i % period == 0) {
        exact.replaceAll((id, count) -> count / 2);
      }
      long id = (long) Math.abs(random.nextGaussian() * 700);
      int count = exact.merge(id, 1, Integer::sum);
      int estimate = sightings.add(id);
      assertTrue(
          estimate >= Math.min(count, Sightings.MOST / 2),
          () -> "id " + id + " has " + count + ", estimated " + estimate);
    }
  }

  /// The bound of the count-min sketch: with e/epsilon columns and ln(1/delta) rows, an error
  /// exceeds epsilon times the number of additions with a probability of at most delta.
  @Test
  void errorsAreSmallForZipfsLaw() {
    int columns = 4096;
    int additions = 200_000;
    Random random = new Random(1);
    Sightings sightings = sightings(columns, NEVER);
    Map<Long, Integer> exact = new HashMap<>();
    long over = 0;
    double sum = 0;
    for (int i = 0; i < additions; i++) {
      // The density is proportional to 1/x between 1 and 100,000.
      long id = (long) Math.exp(random.nextDouble() * Math.log(100_000));
      int count = exact.merge(id, 1, Integer::sum);
      int error = sightings.add(id) - Math.min(count, Sightings.MOST);
      assertTrue(error >= 0);
      sum += error;
      if (error > Math.E * (i + 1) / columns) {
        over++;
      }
    }
    System.out.printf(
        "SightingsTest: %d ids, %d columns, mean error %.2f%n",
        exact.size(), columns, sum / additions);
    assertTrue(over <= Math.exp(-4) * additions, "errors beyond the bound: " + over);
  }

  @Test
  void equalHistoriesHaveEqualBits() {
    Sightings sightings = sightings(2000, 3000);
    Random random = new Random(3);
    for (int i = 0; i < 100_000; i++) {
      sightings.add(random.nextInt(3000));
    }
    CRC32C sum = new CRC32C();
    sum.update(sightings.memory().toArray(ValueLayout.JAVA_BYTE));
    assertEquals(0x725f1e8eL, sum.getValue(), () -> "0x%x".formatted(sum.getValue()));
  }

  /// Saves after each number of additions, in the middle of halvings too.
  @ParameterizedTest
  @CsvSource({"64, 5", "64, 1", "200, 16", "1000, 300"})
  void continuesFromASavedState(long expectedIds, long period) {
    int additions = 1000;
    for (int saved = 0; saved <= additions; saved += 7) {
      Sightings whole = sightings(expectedIds, period);
      Sightings resumed = sightings(expectedIds, period);
      resumed.add(99);
      for (int i = 0; i < saved; i++) {
        whole.add(i % 13);
      }
      try (Arena confined = Arena.ofConfined()) {
        resumed.restore(
            confined.allocate(whole.memory().byteSize()).copyFrom(whole.memory()),
            whole.additions());
      }
      for (int i = saved; i < additions; i++) {
        assertEquals(whole.add(i % 13), resumed.add(i % 13));
      }
      assertEquals(additions, resumed.additions());
      assertEquals(-1, whole.memory().mismatch(resumed.memory()));
    }
  }

  @Test
  void takesAFewBytesPerExpectedId() {
    assertEquals(256, sightings(1, 1).memory().byteSize());
    assertEquals(256, sightings(64, 1).memory().byteSize());
    assertEquals(512, sightings(65, 1).memory().byteSize());
    assertEquals(4 << 20, sightings(1_000_000, 1).memory().byteSize());
  }

  @Test
  void refusesIllegalArguments() {
    for (long ids : new long[] {0, -1, Sightings.MOST_IDS + 1}) {
      var e = assertThrows(IllegalArgumentException.class, () -> sightings(ids, 1));
      assertEquals("expectedIds is " + ids + ", but must be from 1 to 2^32", e.getMessage());
    }
    var e = assertThrows(IllegalArgumentException.class, () -> sightings(1, 0));
    assertEquals("period is 0, but must be 1 or more", e.getMessage());
    Sightings sightings = sightings(64, 1);
    e =
        assertThrows(
            IllegalArgumentException.class,
            () -> sightings.restore(MemorySegment.ofArray(new byte[255]), 0));
    assertEquals("saved has 255 bytes, but must have 256", e.getMessage());
    e =
        assertThrows(
            IllegalArgumentException.class,
            () -> sightings.restore(MemorySegment.ofArray(new byte[256]), -1));
    assertEquals("additionsThen is -1, but must be 0 or more", e.getMessage());
  }

  @Test
  void allocatesNothing() {
    Sightings sightings = sightings(10_000, 5000);
    Allocations.assertNone("sightings", 1000, () -> sightings.add(sightings.additions() % 997));
  }
}
