package dev.panoptim.memory;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// One allocation that holds several streams of the same tensors by a [Layout]. Large slabs ask for
/// huge pages.
///
/// Thread-safe; [#close()] fails while a step uses the memory.
public final class Slab implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;
  private final MemorySegment[][] streams;

  private Slab(Layout layout, Device device) {
    try {
      memory =
          device.isCpu()
              ? Pages.allocate(arena, layout.bytes())
              : device.allocate(layout.bytes(), arena);
      streams = layout.slices(device, memory);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /// Allocates zeroed streams.
  ///
  /// @throws OutOfMemoryError if the system has not so much memory
  public static Slab allocate(Layout layout) {
    return allocate(layout, Device.cpu());
  }

  /// Allocates zeroed streams in memory of a device.
  ///
  /// @throws OutOfMemoryError if the system has not so much memory
  /// @throws CudaException if the device has not so much memory
  public static Slab allocate(Layout layout, Device device) {
    return new Slab(layout, device);
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
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
