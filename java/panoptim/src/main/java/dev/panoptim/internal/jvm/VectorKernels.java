package dev.panoptim.internal.jvm;

import java.lang.foreign.MemorySegment;

/// The operations of [VectorOperations][dev.panoptim.internal.vector.VectorOperations] on one
/// chunk: `length` elements from element `start` on.
///
/// Implementations are thread-safe.
interface VectorKernels {
  double dot(MemorySegment x, MemorySegment y, long start, int length);

  double sumAbsolute(MemorySegment x, long start, int length);

  float largest(MemorySegment x, long start, int length);

  void add(
      float factor, MemorySegment x, MemorySegment y, MemorySegment result, long start, int length);

  void scale(float factor, MemorySegment x, MemorySegment result, long start, int length);
}
