package dev.panoptim.internal.step;

import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.memory.Workspaces;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.LongSupplier;

/// Memory that all plans of an optimizer share, because no two are stepped at the same time.
///
/// Not thread-safe.
final class SharedWorkspace {
  private final Origin origin;
  private OwnedArena arena;

  /// `null` if there is none.
  private MemorySegment memory;

  /// @param origin the owner, for warnings
  SharedWorkspace(Origin origin) {
    this.origin = origin;
  }

  /// The memory, allocated if there is none.
  ///
  /// @param bytes the size of new memory
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  MemorySegment of(LongSupplier bytes) {
    if (memory == null) {
      long size = bytes.getAsLong();
      arena = OwnedArena.of(MemoryKind.TABLES, origin);
      try {
        memory = arena.allocate(size, Workspaces.ALIGNMENT);
      } catch (Throwable e) {
        CloseAll.after(e, List.of(this::free));
        throw e;
      }
    }
    return memory;
  }

  boolean isAllocated() {
    return memory != null;
  }

  /// Frees the memory; [#of] allocates it anew. No plan that used it is stepped again.
  void free() {
    OwnedArena freed = arena;
    arena = null;
    memory = null;
    if (freed != null) {
      freed.close();
    }
  }
}
