package dev.panoptim.internal.table;

import dev.panoptim.internal.memory.OwnedArena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Estimates how often ids have been seen lately, in a few bytes per id: a count-min sketch.
///
/// Each id has one counter in each of 4 rows, and the estimate is the smallest of the four. Other
/// ids may share some of the counters. So an estimate can be too large, but never too small. An
/// addition increases only those of the four counters that are equal to the estimate, which is
/// called conservative update.
///
/// After each period all counters are halved, rounded down, so that ids that are no longer seen are
/// forgotten. The counts are halved at once, but the bytes in memory gradually: each addition
/// halves a few of them in order, and a byte that it has not reached yet counts half. A counter
/// goes up to 255, and such a byte up to 127.
///
/// All results follow from the history of additions: the same ids in the same order give the same
/// bits on every machine.
///
/// Sources: Graham Cormode and S. Muthukrishnan, "An Improved Data Stream Summary: The Count-Min
/// Sketch and its Applications", Journal of Algorithms 55 (2005). Conservative update: Cristian
/// Estan and George Varghese, "New Directions in Traffic Measurement and Accounting" (SIGCOMM
/// 2002). Halving: Gil Einziger, Roy Friedman and Ben Manes, "TinyLFU: A Highly Efficient Cache
/// Admission Policy", ACM Transactions on Storage 13 (2017).
///
/// Not thread-safe: one thread at a time.
public final class Sightings {
  /// The largest estimate.
  public static final int MOST = 255;

  /// The largest number of ids that can be expected, which takes 16 GiB.
  public static final long MOST_IDS = 1L << 32;

  private static final int ROWS = 4;
  private static final int FEWEST_COLUMNS = 64;
  private static final int ALIGNMENT = 64;
  private static final long ALL_BUT_FIRST_BITS = 0x7f7f7f7f7f7f7f7fL;

  private final MemorySegment memory;
  private final long columns;
  private final long period;

  /// The bytes that an addition halves.
  private final long stride;

  private long additions;

  /// The additions since the last halving began.
  private long sinceHalving;

  /// The bytes from here on have not been halved yet; the number of bytes if all have.
  private long halved;

  /// Creates counts of 0. This writes all the memory, so that no addition must wait until the
  /// system has zeroed it.
  ///
  /// There are 4 to 8 bytes per expected id. With more ids than expected the estimates become too
  /// large, but stay usable.
  ///
  /// @param expectedIds the number of different ids that are expected in a period, 1 to [#MOST_IDS]
  /// @param period the number of additions from one halving to the next, 1 or more. An addition
  ///   halves at least 64 bytes, and more if that takes too long for the period: with a period of a
  ///   sixteenth of the ids or more it never does.
  /// @param arena allocates the memory; its owner closes it
  /// @throws IllegalArgumentException if a number is out of range
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  /// @throws IllegalStateException if the arena has been closed
  public Sightings(long expectedIds, long period, OwnedArena arena) {
    if (expectedIds < 1 || expectedIds > MOST_IDS) {
      throw new IllegalArgumentException(
          "expectedIds is %s, but must be from 1 to 2^32".formatted(expectedIds));
    }
    if (period < 1) {
      throw new IllegalArgumentException("period is %s, but must be 1 or more".formatted(period));
    }
    this.period = period;
    columns = Math.max(FEWEST_COLUMNS, powerOfTwo(expectedIds));
    long bytes = ROWS * columns;
    stride = Math.max(ALIGNMENT, Math.ceilDiv(Math.ceilDiv(bytes, period), 8) * 8);
    memory = arena.allocate(bytes, ALIGNMENT).fill((byte) 0);
    halved = bytes;
  }

  private static long powerOfTwo(long atLeast) {
    return atLeast == 1 ? 1 : Long.highestOneBit(atLeast - 1) << 1;
  }

  /// Counts a sighting of an id.
  ///
  /// @param id any number
  /// @return the estimated number of sightings, this one included, 1 to [#MOST]
  /// @throws IllegalStateException if the arena has been closed
  public int add(long id) {
    halve();
    long hash = IdHash.of(id);
    long first = place(hash, 0);
    long second = place(hash, 1);
    long third = place(hash, 2);
    long fourth = place(hash, 3);
    int before =
        Math.min(Math.min(count(first), count(second)), Math.min(count(third), count(fourth)));
    return Math.min(
        Math.min(increased(first, before), increased(second, before)),
        Math.min(increased(third, before), increased(fourth, before)));
  }

  private long place(long hash, int row) {
    return row * columns + (IdHash.another(hash, row) & columns - 1);
  }

  private int count(long place) {
    int stored = Byte.toUnsignedInt(memory.get(ValueLayout.JAVA_BYTE, place));
    return place < halved ? stored : stored >>> 1;
  }

  /// Increases a count that equals the estimate.
  ///
  /// @return the count after that
  private int increased(long place, int estimate) {
    int count = count(place);
    if (count > estimate) {
      return count;
    }
    boolean whole = place < halved;
    int more = Math.min(count + 1, whole ? MOST : MOST / 2);
    memory.set(ValueLayout.JAVA_BYTE, place, (byte) (whole ? more : 2 * more));
    return more;
  }

  /// Begins a halving after each period, and continues with it.
  private void halve() {
    if (sinceHalving == period) {
      sinceHalving = 0;
      halved = 0;
    }
    additions++;
    sinceHalving++;
    if (halved < memory.byteSize()) {
      long end = Math.min(memory.byteSize(), halved + stride);
      for (long place = halved; place < end; place += Long.BYTES) {
        long eight = memory.get(ValueLayout.JAVA_LONG, place);
        memory.set(ValueLayout.JAVA_LONG, place, eight >>> 1 & ALL_BUT_FIRST_BITS);
      }
      halved = end;
    }
  }

  /// The counters, for a checkpoint. Together with [#additions] they are the whole state.
  ///
  /// @return the memory itself, a multiple of 256 bytes; its size follows from the expected ids
  public MemorySegment memory() {
    return memory;
  }

  /// The number of additions so far.
  public long additions() {
    return additions;
  }

  /// Continues from a state that was saved with the same expected ids and the same period.
  ///
  /// @param saved a copy of [#memory]
  /// @param additionsThen the value of [#additions]
  /// @throws IllegalArgumentException if the memory has another size or the number is below 0;
  ///   nothing has changed
  /// @throws IllegalStateException if an arena has been closed
  public void restore(MemorySegment saved, long additionsThen) {
    if (saved.byteSize() != memory.byteSize()) {
      throw new IllegalArgumentException(
          "saved has %s bytes, but must have %s".formatted(saved.byteSize(), memory.byteSize()));
    }
    if (additionsThen < 0) {
      throw new IllegalArgumentException(
          "additionsThen is %s, but must be 0 or more".formatted(additionsThen));
    }
    memory.copyFrom(saved);
    additions = additionsThen;
    // A period is full until the next addition begins another one.
    long periods = Math.max(0, additionsThen - 1) / period;
    sinceHalving = additionsThen - periods * period;
    // Each addition halves bytes, and the last one of a period has reached the end.
    boolean all = periods == 0 || sinceHalving >= Math.ceilDiv(memory.byteSize(), stride);
    halved = all ? memory.byteSize() : sinceHalving * stride;
  }
}
