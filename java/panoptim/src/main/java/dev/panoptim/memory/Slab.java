package dev.panoptim.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// One allocation that holds several streams of the same tensors by a [Layout]. Large slabs ask for
/// huge pages.
///
/// Thread-safe; [#close()] fails while a step uses the memory.
public final class Slab implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final MemorySegment[][] streams;

  private Slab(Layout layout) {
    try {
      streams = layout.slices(Pages.allocate(arena, layout.bytes()));
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /// Allocates zeroed streams.
  ///
  /// @throws OutOfMemoryError if the system has not so much memory
  public static Slab allocate(Layout layout) {
    return new Slab(layout);
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
