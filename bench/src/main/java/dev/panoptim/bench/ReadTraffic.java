package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The native kernel that only reads two vectors: a limit for the time of a dot product.
///
/// @param x a vector of 32-bit elements
/// @param y a vector of the same size
record ReadTraffic(MemorySegment x, MemorySegment y, int threads) {
  private static final MethodHandle READ =
      BenchLibrary.find(
          "panoptim_traffic_read",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT));

  /// @return the exclusive or of all elements
  int read() {
    return Downcall.run(() -> (int) READ.invokeExact(x, y, x.byteSize() / Integer.BYTES, threads));
  }
}
