package dev.panoptim.internal.cuda;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A copy of the data of a plan's parameters in pinned host memory, where they are updated.
///
/// Not thread-safe.
final class MasterCopy implements AutoCloseable {
  private final OwnedArena arena =
      OwnedArena.of(MemoryKind.TABLES, Origin.here("an optimizer's master copy for a GPU"));
  private final MemorySegment memory;

  MasterCopy(Device device, long elements) {
    try {
      memory = device.allocatePinned(elements * Float.BYTES, arena);
    } catch (Throwable e) {
      CloseAll.after(e, List.of(arena::close));
      throw e;
    }
  }

  boolean hasRoomFor(long elements) {
    return memory.byteSize() >= elements * Float.BYTES;
  }

  /// The data from an element of the plan on.
  ///
  /// @param start counted over all rows
  MemorySegment from(long start) {
    return memory.asSlice(start * Float.BYTES);
  }

  @Override
  public void close() {
    arena.close();
  }
}
