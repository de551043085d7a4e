package dev.panoptim.internal.table;

import dev.panoptim.internal.memory.Segments;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Ids of 32 or 64 bits in memory.
///
/// As thread-safe as the memory.
public final class Ids {
  /// The most ids. A hash table of twice as many slots fits in an array.
  public static final int MOST = 1 << 29;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private final MemorySegment memory;
  private final boolean isLong;
  private final int count;

  /// @param isLong whether ids have 64 bits
  /// @throws IllegalArgumentException if the size is no multiple of an id's, there are more than
  ///   [#MOST] ids, or memory cannot exist at the address
  public Ids(MemorySegment memory, boolean isLong) {
    long size = isLong ? Long.BYTES : Integer.BYTES;
    if (memory.byteSize() % size != 0 || memory.byteSize() / size > MOST) {
      throw new IllegalArgumentException(
          "ids have %s bytes, but must have a multiple of %s, and at most %s"
              .formatted(memory.byteSize(), size, size * MOST));
    }
    Segments.requireAddress("ids", memory, memory.byteSize());
    this.memory = memory;
    this.isLong = isLong;
    count = (int) (memory.byteSize() / size);
  }

  public int count() {
    return count;
  }

  public long get(int index) {
    return isLong ? memory.getAtIndex(LONG, index) : memory.getAtIndex(INT, index);
  }
}
