package dev.panoptim.internal.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/// Allocates zeroed memory that is counted and limited, and that the garbage collector frees once
/// no segment of one such allocator can be reached.
///
/// Thread-safe.
public final class CollectedMemory implements SegmentAllocator {
  private final MemoryKind kind;
  private final Arena arena = Arena.ofAuto();

  /// @param kind that the memory is counted as
  public CollectedMemory(MemoryKind kind) {
    this.kind = kind;
  }

  /// Zeroed memory.
  ///
  /// @param alignment in bytes, a power of two
  /// @throws OutOfMemoryError if the limit or the system refuses
  @Override
  public MemorySegment allocate(long bytes, long alignment) {
    // What is run once this can no longer be reached must not refer to it.
    MemoryKind of = kind;
    MemoryBudget.reserve(bytes, of);
    Runnable counted = () -> MemoryBudget.release(bytes, of);
    try {
      if (!SystemMemory.isAvailable()) {
        MemorySegment memory = arena.allocate(bytes, alignment);
        Forgotten.watch(memory.scope(), counted);
        return memory;
      }
      SystemMemory.Block block = SystemMemory.allocate(bytes, alignment);
      Runnable release = OwnedArena.both(block.release(), counted);
      return block
          .memory()
          .reinterpret(bytes, arena, CleaningAction.consumer(release, block.afterUnloading()));
    } catch (Throwable e) {
      counted.run();
      throw e;
    }
  }
}
