package dev.panoptim.internal.cuda;

import java.lang.foreign.MemorySegment;

/// A copy between a GPU and the host of bytes that are contiguous on both sides.
///
/// @param gpu the address on the GPU
/// @param host the memory of the host, of the copied size
record CopyRun(MemorySegment gpu, MemorySegment host) {
  long bytes() {
    return host.byteSize();
  }
}
