package dev.panoptim.internal.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Three threads look up ids while one thread changes the index. They find every id that stays, and
/// of the ids that come and go they find only records that these had during the lookup.
///
/// Each case takes 10 seconds with `-Pexhaustive`.
@Timeout(600)
class IdIndexReadersTest {
  private static final long MILLIS = Boolean.getBoolean("panoptim.exhaustive") ? 10_000 : 400;
  private static final int READERS = 3;
  private static final int GENERATION_BITS = 24;

  private volatile boolean done;

  /// All ids that come and go have been removed at the start of a generation. Its puts have its
  /// number in their records.
  private volatile long generation;

  private final AtomicLong lookups = new AtomicLong();
  private final AtomicLong found = new AtomicLong();
  private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

  /// The ids of a case.
  enum Ids {
    /// Many segments, and all of them are split and changed.
    SPREAD(5000, 100_000, 4, i -> i),

    /// The ids begin at 16 slots of one segment: each removal moves many ids.
    CROWDED(100, 300, 2000, i -> Hashes.idWith((i % 16 - 8) << 60 - 7 | i << 20)),

    /// More ids than fit in a segment share all bits of the directory.
    CHAINED(1000, 3000, 50, i -> Hashes.idWith(IdHash.of(i) << IdIndex.MOST_DEPTH));

    final int staying;
    final int passing;
    final int generations;
    final LongUnaryOperator idOf;

    /// @param generations the most in the life of an index
    Ids(int staying, int passing, int generations, LongUnaryOperator idOf) {
      this.staying = staying;
      this.passing = passing;
      this.generations = generations;
      this.idOf = idOf;
    }
  }

  @ParameterizedTest
  @EnumSource
  void readersFindWhatIsPresent(Ids ids) throws InterruptedException {
    long end = System.nanoTime() + MILLIS * 1_000_000;
    int rounds = 0;
    while (System.nanoTime() < end || rounds == 0) {
      round(ids, end);
      rounds++;
    }
    System.out.printf(
        "IdIndexReadersTest: %s, %d rounds, %d lookups, %d found of ids that come and go%n",
        ids, rounds, lookups.get(), found.get());
    assertEquals(List.of(), List.copyOf(wrong));
    assertTrue(lookups.get() > 0);
  }

  /// Readers begin with a small index, which grows.
  private void round(Ids ids, long end) throws InterruptedException {
    done = false;
    generation = 0;
    try (OwnedArena arena = OwnedArena.of(MemoryKind.TABLES, Origin.here("a test"))) {
      IdIndex index = new IdIndex(arena);
      for (int i = 0; i < ids.staying; i++) {
        index.put(ids.idOf.applyAsLong(i), i);
      }
      List<Thread> readers = new ArrayList<>();
      for (int i = 0; i < READERS; i++) {
        int first = i;
        readers.add(Thread.ofPlatform().start(() -> read(index, ids, first)));
      }
      try {
        write(index, ids, end);
      } finally {
        done = true;
        for (Thread each : readers) {
          each.join();
        }
      }
      assertEquals(ids.staying, index.size());
    }
  }

  private void write(IdIndex index, Ids ids, long end) {
    for (long now = 1; now <= ids.generations && wrong.isEmpty(); now++) {
      if (now > 1 && System.nanoTime() > end) {
        return;
      }
      generation = now;
      for (int i = ids.staying; i < ids.staying + ids.passing; i++) {
        index.put(ids.idOf.applyAsLong(i), (long) i << GENERATION_BITS | now);
      }
      for (int i = ids.staying; i < ids.staying + ids.passing; i++) {
        index.remove(ids.idOf.applyAsLong(i));
      }
    }
  }

  private void read(IdIndex index, Ids ids, int first) {
    long looked = 0;
    long met = 0;
    long random = first;
    while (!done && wrong.isEmpty()) {
      random = random * 6364136223846793005L + 1442695040888963407L;
      int staying = (int) ((random >>> 33) % ids.staying);
      long record = index.find(ids.idOf.applyAsLong(staying));
      if (record != staying) {
        wrong.add("number " + staying + ", which stays, has record " + record);
      }
      int passing = ids.staying + (int) ((random >>> 33) % ids.passing);
      long before = generation;
      record = index.find(ids.idOf.applyAsLong(passing));
      long after = generation;
      if (record != IdIndex.ABSENT) {
        met++;
        long then = record & (1 << GENERATION_BITS) - 1;
        if (record >>> GENERATION_BITS != passing || then < before || then > after) {
          wrong.add(
              "number %d has record %d of generation %d, between %d and %d"
                  .formatted(passing, record >>> GENERATION_BITS, then, before, after));
        }
      }
      looked += 2;
    }
    lookups.addAndGet(looked);
    found.addAndGet(met);
  }
}
