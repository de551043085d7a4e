package dev.panoptim.internal.tensor;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import java.lang.foreign.MemorySegment;

/// One allocation that holds several streams of the same tensors by a [Layout]. Large slabs ask for
/// huge pages.
///
/// Memory of a slab that is not closed is freed once none of its segments can be reached, and a
/// warning is logged.
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
      arena.close();
      throw e;
    }
  }

  /// Allocates zeroed streams.
  ///
  /// @throws OutOfMemoryError if the system has not so much memory, or the limit
  ///   `panoptim.memory.limit` does not allow it
  public static Slab allocate(Layout layout) {
    return allocate(layout, Device.cpu());
  }

  /// Allocates zeroed streams in memory of a device.
  ///
  /// @throws OutOfMemoryError as the other method of this name
  /// @throws CudaException if the device has not so much memory
  public static Slab allocate(Layout layout, Device device) {
    return allocate(layout, device, Origin.here("a slab"), MemoryKind.PARAMETERS);
  }

  /// Allocates zeroed streams that are counted as of some kinds.
  ///
  /// @param origin what a warning says if the slab is not closed
  /// @param kinds of the streams, one for each or one for all
  /// @throws OutOfMemoryError as the other methods of this name
  /// @throws CudaException if the device has not so much memory
  @SuppressWarnings("exports") // For the library itself.
  public static Slab allocate(Layout layout, Device device, Origin origin, MemoryKind... kinds) {
    return new Slab(layout, device, origin, kinds);
  }

  /// All of the allocation, on a GPU its address alone.
  public MemorySegment memory() {
    return memory;
  }

  /// The streams, and in each of them the tensors.
  public MemorySegment[][] streams() {
    return streams;
  }

  /// Frees the memory. Does nothing when it has been freed.
  ///
  /// @throws IllegalStateException if a step is using it
  @Override
  public void close() {
    arena.close();
  }
}
