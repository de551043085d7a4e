package dev.panoptim.internal.tensor;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// One allocation that holds several operands of the same tensors in a [Layout]. Large slabs use
/// huge pages if possible.
///
/// If a slab is not closed, its memory is freed when none of its segments is reachable any more,
/// and a warning is logged.
///
/// Thread-safe; [#close()] fails while a step uses the memory.
public final class Slab implements AutoCloseable {
  private final OwnedArena arena;
  private final MemorySegment memory;
  private final MemorySegment[][] streams;

  private Slab(Layout layout, Device device, Origin origin, MemoryKind... kinds) {
    arena = OwnedArena.of(kinds[0], origin);
    try {
      memory =
          device.isCpu()
              ? arena.allocate(layout.bytes(), layout.alignment(), kinds)
              : device.allocate(layout.bytes(), arena);
      streams = layout.slices(device, memory);
    } catch (Throwable e) {
      CloseAll.after(e, List.of(arena::close));
      throw e;
    }
  }

  /// Allocates zeroed operands that are counted as memory of some kinds.
  ///
  /// @param origin the owner, for a warning if the slab is not closed
  /// @param kinds the kinds of the operands: one for each, or one for all
  /// @throws OutOfMemoryError if the system has too little memory, or the memory would exceed the
  ///   limit `panoptim.memory.limit`
  /// @throws CudaException if the device has too little memory
  @SuppressWarnings("exports") // Only this library calls it.
  public static Slab allocate(Layout layout, Device device, Origin origin, MemoryKind... kinds) {
    return new Slab(layout, device, origin, kinds);
  }

  /// The whole allocation; on a GPU, a segment of length 0 with its address.
  public MemorySegment memory() {
    return memory;
  }

  /// The slices: for each operand, one slice per tensor.
  public MemorySegment[][] streams() {
    return streams;
  }

  /// Frees the memory. Closing twice has no effect.
  ///
  /// @throws IllegalStateException if a step is using the memory
  @Override
  public void close() {
    arena.close();
  }
}
