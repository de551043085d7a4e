package dev.panoptim.internal.table;

import dev.panoptim.internal.memory.OwnedArena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/// The segments of an [IdIndex] that are not in use, and the memory of all its segments.
///
/// Memory is allocated in blocks. A block is as large as all blocks before it together, up to
/// [#MOST_IN_BLOCK] segments: a small index takes little memory, and a large one needs few blocks.
/// Blocks are never freed before the arena is closed, because readers may be anywhere.
///
/// Not thread-safe but for [#bytes].
final class IdSegments {
  /// The most segments of a block, which then has 256 KiB. A block is zeroed as a whole where Java
  /// has no native access. Blocks with huge pages would be zeroed at the first touch, 2 MiB at
  /// once. A virtual machine may take 10 microseconds for each 4 KiB that are touched for the first
  /// time.
  static final int MOST_IN_BLOCK = 8;

  /// A slot never lies in two cache lines.
  private static final int ALIGNMENT = 64;

  private final OwnedArena arena;
  private final Deque<IdSegment> free = new ArrayDeque<>();

  /// Volatile, because other threads ask for the bytes.
  private volatile int allocated;

  /// @param arena allocates the blocks; its owner closes it
  IdSegments(OwnedArena arena) {
    this.arena = arena;
  }

  /// Makes sure that segments can be taken without allocating.
  ///
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  void reserve(int segments) {
    while (free.size() < segments) {
      int count = Math.clamp(allocated, 1, MOST_IN_BLOCK);
      MemorySegment block = arena.allocate(count * IdSegment.BYTES, ALIGNMENT);
      for (int i = 0; i < count; i++) {
        free.addLast(new IdSegment(block, i * IdSegment.BYTES));
      }
      allocated = allocated + count;
    }
  }

  /// Takes a segment that has been reserved, empty.
  ///
  /// @param depth the number of last bits that its hashes have in common
  /// @param lastBits these bits
  /// @param chained whether it is for ids that do not fit in another segment
  IdSegment take(int depth, int lastBits, boolean chained) {
    // The one that was retired last is still in the caches of the processor.
    IdSegment taken = free.removeFirst();
    taken.prepare(depth, lastBits, chained);
    return taken;
  }

  /// Takes back a segment that has been retired.
  void giveBack(IdSegment retired) {
    free.addFirst(retired);
  }

  /// The bytes of all segments. Any thread may call this.
  long bytes() {
    return allocated * IdSegment.BYTES;
  }
}
