package dev.panoptim.internal.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/// Allocates zeroed memory that is counted and limited. The garbage collector frees the memory when
/// no segment of an allocator is reachable any more.
///
/// Thread-safe.
public final class CollectedMemory implements SegmentAllocator {
  private final MemoryKind kind;
  private final Arena arena = Arena.ofAuto();

  /// @param kind the kind that the memory is counted as
  public CollectedMemory(MemoryKind kind) {
    this.kind = kind;
  }

  /// Allocates zeroed memory.
  ///
  /// @param bytes the size in bytes
  /// @param alignment in bytes, a power of two
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  @Override
  public MemorySegment allocate(long bytes, long alignment) {
    // The cleaning action must not refer to this object, so it captures a local variable.
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
