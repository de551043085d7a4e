package dev.panoptim.internal.table;

import dev.panoptim.internal.memory.OwnedArena;
import java.util.concurrent.atomic.AtomicLong;

/// An off-heap hash index from ids to record numbers. It grows without long pauses.
///
/// The ids are divided among segments of 2,048 slots by the last bits of their hashes. A segment
/// that is 3/4 full is split: its ids are copied to two other segments, and these replace it in the
/// directory. Readers use the old segment until then. It is reused for a later split. A put
/// therefore does at most the work of a split, of tens of microseconds, and of doubling the
/// directory, which has 131,072 entries for 100 million ids. Segments are never merged: memory that
/// removals free serves later puts.
///
/// The directory has at most 2^20 entries, enough for a billion ids. If more ids share 20 bits of
/// their hashes than fit in a segment, more segments are chained to it. Random ids never do this.
/// Somebody who chooses ids can; looking up one of these ids then takes time in proportion to their
/// number, and other ids do not suffer.
///
/// Thread-safe for lookups. One thread at a time puts and removes, and must see what the previous
/// one did. Any thread looks up, without locks: it repeats a lookup if a change to the same segment
/// got in its way. The arena must stay open while the index is in use; after that all methods that
/// need its memory throw an [IllegalStateException].
public final class IdIndex {
  /// The result for an id that is absent.
  public static final long ABSENT = IdSegment.ABSENT;

  /// The most bits of a hash that choose a segment. They do not overlap with those that choose a
  /// slot.
  static final int MOST_DEPTH = 20;

  /// How often a reader repeats a lookup before it lets other threads run. A change of the index
  /// takes fewer turns, unless the system has suspended the writer in the middle of it.
  private static final int TURNS_BEFORE_YIELD = 100;

  private final IdSegments segments;
  private final IdDirectory directory;
  private final AtomicLong size = new AtomicLong();

  /// Creates an empty index.
  ///
  /// @param arena allocates the index's memory, now and later; its owner closes it
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  /// @throws IllegalStateException if the arena has been closed
  public IdIndex(OwnedArena arena) {
    segments = new IdSegments(arena);
    directory = new IdDirectory(opened(0, 0, false));
  }

  private IdSegment opened(int depth, int lastBits, boolean chained) {
    segments.reserve(1);
    IdSegment segment = segments.take(depth, lastBits, chained);
    segment.open();
    return segment;
  }

  /// Looks up an id. Any thread may call this at any time; it never waits for a lock and allocates
  /// nothing.
  ///
  /// An id that is present during the whole call is found. A record that is returned was the id's
  /// own at some time during the call.
  ///
  /// @param id any number
  /// @return the number of the id's record, or [#ABSENT]
  /// @throws IllegalStateException if the arena has been closed
  public long find(long id) {
    long hash = IdHash.of(id);
    IdSegment segment = directory.segment(hash);
    boolean follows = false;
    int turns = 0;
    while (true) {
      long found = segment.find(id, hash, follows);
      if (found >= 0) {
        return found;
      }
      if (found == ABSENT) {
        segment = segment.next();
        follows = true;
        if (segment == null) {
          return ABSENT;
        }
      } else {
        pause(++turns);
        // Ids never move from one segment of a chain to another, and chains are never split, so
        // that beginning again is always right.
        segment = directory.segment(hash);
        follows = false;
      }
    }
  }

  /// Waits for a change to end.
  ///
  /// @param turns how often the caller has waited for it, this time included
  public static void pause(int turns) {
    if (turns % TURNS_BEFORE_YIELD == 0) {
      Thread.yield();
    } else {
      Thread.onSpinWait();
    }
  }

  /// Adds an id. Only the writer may call this.
  ///
  /// @param id any number that is absent
  /// @param record the number of the id's record, from 0 to 2^63 - 2
  /// @throws IllegalArgumentException if the id is present or the record is out of range; nothing
  ///   has changed
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little;
  ///   nothing has changed, and the index can still be used
  /// @throws IllegalStateException if the arena has been closed
  public void put(long id, long record) {
    if (record < 0 || record == Long.MAX_VALUE) {
      throw new IllegalArgumentException(
          "record is %s, but must be from 0 to 2^63 - 2".formatted(record));
    }
    if (find(id) != ABSENT) {
      throw new IllegalArgumentException("id %s is present, but must be absent".formatted(id));
    }
    long hash = IdHash.of(id);
    withRoom(hash).put(id, hash, record);
    addToSize(1);
  }

  private IdSegment withRoom(long hash) {
    IdSegment segment = directory.segment(hash);
    while (segment.isFull()) {
      if (segment.depth() < MOST_DEPTH) {
        split(segment);
        segment = directory.segment(hash);
      } else {
        if (segment.next() == null) {
          segment.setNext(opened(segment.depth(), segment.lastBits(), true));
        }
        segment = segment.next();
      }
    }
    return segment;
  }

  private void split(IdSegment old) {
    int depth = old.depth() + 1;
    // What may fail comes first. It changes nothing that a reader could notice.
    segments.reserve(2);
    directory.reserve(depth);
    IdSegment clear = segments.take(depth, old.lastBits(), false);
    IdSegment set = segments.take(depth, old.lastBits() | 1 << depth - 1, false);
    old.copyTo(clear, set);
    clear.open();
    set.open();
    directory.publish(clear);
    directory.publish(set);
    old.retire();
    segments.giveBack(old);
  }

  /// Removes an id. Only the writer may call this.
  ///
  /// @param id any number
  /// @return the number of the id's record, or [#ABSENT]
  /// @throws IllegalStateException if the arena has been closed
  public long remove(long id) {
    long hash = IdHash.of(id);
    IdSegment segment = directory.segment(hash);
    while (segment != null) {
      long removed = segment.remove(id, hash);
      if (removed != ABSENT) {
        addToSize(-1);
        return removed;
      }
      segment = segment.next();
    }
    return ABSENT;
  }

  /// Passes all ids and their records to an action, in any order. Only the writer may call this,
  /// and the action must not change the index.
  ///
  /// @throws IllegalStateException if the arena has been closed
  public void forEach(IdAction action) {
    directory.forEach(action);
  }

  /// The writer alone changes the size: no atomic addition is needed.
  private void addToSize(long change) {
    size.setRelease(size.getPlain() + change);
  }

  /// The number of ids. Other threads than the writer may get a slightly old number.
  public long size() {
    return size.getAcquire();
  }

  /// The off-heap memory of the index in bytes. Other threads than the writer may get a slightly
  /// old number.
  public long bytes() {
    return segments.bytes();
  }
}
