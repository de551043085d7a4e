package dev.panoptim.internal.step;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.panoptim.memory.HalfPrecision;
import java.lang.foreign.MemorySegment;

/// Memory that a step copies updated parameters to, for other threads to read later.
///
/// Immutable; its memory is written by one step at a time.
///
/// @param memory for the copies of all rows that are published
/// @param narrow the format of the copies; `null` for floats
/// @param averages whether the rows' averages are copied, in the place of the parameters
public record PublishTarget(MemorySegment memory, HalfPrecision narrow, boolean averages) {
  /// Copies some elements of a tensor.
  ///
  /// @param from all floats of the tensor
  /// @param published bytes from the beginning of the memory to the tensor's copy
  /// @param start the first element
  /// @param end the last element, exclusively
  public void copy(MemorySegment from, long published, long start, long end) {
    if (narrow == null) {
      MemorySegment.copy(
          from,
          start * Float.BYTES,
          memory,
          published + start * Float.BYTES,
          (end - start) * Float.BYTES);
      return;
    }
    for (long i = start; i < end; i++) {
      memory.set(
          JAVA_SHORT, published + i * Short.BYTES, narrow.round(from.getAtIndex(JAVA_FLOAT, i)));
    }
  }
}
