package dev.panoptim.internal.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Allocations;
import dev.panoptim.internal.memory.MemoryBudget;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The index behaves as a map, used by one thread.
class IdIndexTest {
  private static final int FULL = IdSegment.MOST_IDS;
  private static final long[] SPECIAL = {
    0, -1, 1, Long.MIN_VALUE, Long.MAX_VALUE, Integer.MIN_VALUE, 1L << 32, 0x9e3779b97f4a7c15L
  };

  private final OwnedArena arena = OwnedArena.of(MemoryKind.TABLES, Origin.here("a test"));
  private final IdIndex index = new IdIndex(arena);
  private final Map<Long, Long> expected = new HashMap<>();

  @AfterEach
  void close() {
    arena.close();
  }

  private void put(long id, long record) {
    index.put(id, record);
    expected.put(id, record);
  }

  private void remove(long id) {
    Long record = expected.remove(id);
    assertEquals(record == null ? IdIndex.ABSENT : record, index.remove(id), () -> "id " + id);
  }

  private void assertSame() {
    assertEquals(expected.size(), index.size());
    expected.forEach((id, record) -> assertEquals(record, index.find(id), () -> "id " + id));
    Map<Long, Long> all = new HashMap<>();
    index.forEach((id, record) -> assertEquals(null, all.put(id, record), () -> "twice " + id));
    assertEquals(expected, all);
  }

  /// @param idOf an id for each number from 0
  private void randomOperations(int operations, int ids, LongUnaryOperator idOf) {
    long seed = System.nanoTime();
    System.out.println("IdIndexTest: seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < operations; i++) {
      long id = idOf.applyAsLong(random.nextInt(ids));
      assertEquals(expected.getOrDefault(id, IdIndex.ABSENT), index.find(id));
      // There are times of growth and times of removals.
      if (random.nextInt(10) < (i / ids % 2 == 0 ? 7 : 3)) {
        if (!expected.containsKey(id)) {
          put(id, random.nextLong() >>> 1 + random.nextInt(60));
        }
      } else {
        remove(id);
      }
    }
    assertSame();
  }

  @Test
  void isAMapOfRandomIds() {
    randomOperations(1_000_000, 60_000, IdHash::of);
  }

  @Test
  void isAMapOfConsecutiveIds() {
    randomOperations(500_000, 20_000, i -> i - 10_000);
  }

  /// The ids begin at few slots, at the end and the start of a segment.
  @Test
  void removalsMoveIdsBackAroundTheEnd() {
    randomOperations(
        500_000,
        600,
        i -> Hashes.idWith((i % 7 - 3 & IdSegment.SLOTS - 1) << -IdSegment.SLOT_BITS | i << 20));
  }

  @Test
  void hashesCanBeChosen() {
    for (long hash : SPECIAL) {
      assertEquals(hash, IdHash.of(Hashes.idWith(hash)));
    }
  }

  @Test
  void everyIdIsPossible() {
    for (long id : SPECIAL) {
      assertEquals(IdIndex.ABSENT, index.find(id));
      assertEquals(IdIndex.ABSENT, index.remove(id));
      put(id, id >>> 2);
    }
    assertSame();
    for (long id : SPECIAL) {
      remove(id);
      assertSame();
    }
    put(0, 0);
    put(-1, Long.MAX_VALUE - 1);
    assertSame();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1535, 1536, 1537, 3071, 3072, 3073, 6144, 100_000})
  void sizesAroundSplits(int ids) {
    for (int i = 0; i < ids; i++) {
      put(i, i);
    }
    assertSame();
    for (int i = 0; i < ids; i++) {
      assertEquals(IdIndex.ABSENT, index.find(-1 - i));
    }
    for (int i = 0; i < ids; i += 2) {
      remove(i);
    }
    assertSame();
    for (int i = 0; i < ids; i += 2) {
      put(i, i + 1);
    }
    assertSame();
  }

  /// A segment whose ids all go to one of its halves is split again at once.
  @Test
  void idsThatDifferInTheLastBitOfTheDirectory() {
    for (long i = 0; i < 2 * FULL; i++) {
      put(Hashes.idWith(i << 21 | (i & 1) << IdIndex.MOST_DEPTH - 1), i);
    }
    assertSame();
  }

  @Test
  void idsThatShareAllBitsOfTheDirectoryAreChained() {
    int ids = 3 * FULL + 10;
    for (long i = 0; i < ids; i++) {
      put(Hashes.idWith(i << IdIndex.MOST_DEPTH), i);
    }
    long bytes = index.bytes();
    assertSame();
    assertEquals(IdIndex.ABSENT, index.find(Hashes.idWith((long) ids << IdIndex.MOST_DEPTH)));
    assertEquals(IdIndex.ABSENT, index.remove(Hashes.idWith((long) ids << IdIndex.MOST_DEPTH)));
    for (long i = 0; i < ids; i += 3) {
      remove(Hashes.idWith(i << IdIndex.MOST_DEPTH));
    }
    assertSame();
    for (long i = 0; i < ids; i += 3) {
      put(Hashes.idWith(i << IdIndex.MOST_DEPTH), i + 7);
    }
    for (long i = 1; i < 1000; i++) {
      put(Hashes.idWith(i), i);
    }
    assertSame();
    assertEquals(bytes, index.bytes());
  }

  @Test
  void refusesWhatItCannotHold() {
    put(5, 6);
    for (long record : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      var e = assertThrows(IllegalArgumentException.class, () -> index.put(7, record));
      assertEquals("record is " + record + ", but must be from 0 to 2^63 - 2", e.getMessage());
    }
    var e = assertThrows(IllegalArgumentException.class, () -> index.put(5, 7));
    assertEquals("id 5 is present, but must be absent", e.getMessage());
    assertSame();
  }

  @Test
  void memoryIsCountedAndReused() {
    long others = MemoryBudget.held(MemoryKind.TABLES) - index.bytes();
    for (int i = 0; i < 200_000; i++) {
      put(i, i);
    }
    long bytes = index.bytes();
    assertTrue(bytes < 48 * index.size(), "bytes " + bytes);
    assertEquals(bytes, MemoryBudget.held(MemoryKind.TABLES) - others);
    for (int i = 0; i < 200_000; i++) {
      remove(i);
    }
    for (int i = 0; i < 200_000; i++) {
      put(i, i);
    }
    assertEquals(bytes, index.bytes());
  }

  @Test
  void aClosedArenaIsReported() {
    index.put(1, 2);
    arena.close();
    assertThrows(IllegalStateException.class, () -> index.find(1));
    assertThrows(IllegalStateException.class, () -> index.put(2, 2));
    assertThrows(IllegalStateException.class, () -> index.remove(1));
    assertThrows(IllegalStateException.class, () -> index.forEach((id, record) -> {}));
    assertEquals(1, index.size());
  }

  @Test
  void allocatesNothingUnlessItGrows() {
    int ids = 10_000;
    for (int i = 0; i < ids; i++) {
      index.put(i, i);
    }
    long[] next = new long[1];
    Allocations.assertNone(
        "find, remove and put",
        1000,
        () -> {
          long id = next[0]++ % ids;
          long record = index.find(id);
          if (index.remove(id) != record || index.find(id) != IdIndex.ABSENT) {
            throw new AssertionError();
          }
          index.put(id, record);
        });
    assertEquals(ids, index.size());
  }

  /// Prints the longest puts. They are not asserted, because the system may suspend the thread.
  @Test
  void growsWithoutLongPauses() {
    int ids = 5_000_000;
    List<Long> slow = new ArrayList<>();
    long longest = 0;
    long start = System.nanoTime();
    long last = start;
    for (int i = 0; i < ids; i++) {
      index.put(IdHash.another(i, 5), i);
      long now = System.nanoTime();
      longest = Math.max(longest, now - last);
      if (now - last > 1_000_000) {
        slow.add((now - last) / 1000);
      }
      last = now;
    }
    System.out.printf(
        "IdIndexTest: %s ids, %.0f ns per put, longest %d us, %d of over 1 ms: %s, %.1f bytes per"
            + " id%n",
        ids,
        (last - start) / (double) ids,
        longest / 1000,
        slow.size(),
        slow.subList(0, Math.min(20, slow.size())),
        index.bytes() / (double) ids);
    for (int i = 0; i < ids; i++) {
      if (index.find(IdHash.another(i, 5)) != i) {
        throw new AssertionError("number " + i);
      }
    }
    assertEquals(ids, index.size());
  }
}
