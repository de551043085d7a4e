package dev.panoptim.internal.matrix;

import dev.panoptim.internal.memory.Segments;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Row-major float matrices of one shape, off-heap: element (i, j) is at index `i * stride + j` of
/// its segment.
///
/// Immutable and thread-safe.
///
/// @param memory the segment of each matrix, aligned to 4 bytes
/// @param rows of each matrix, 0 or more
/// @param columns of each matrix, 0 or more
/// @param stride elements from a row to the next, at least `columns`
public record Matrices(List<MemorySegment> memory, long rows, long columns, long stride) {
  /// @throws IllegalArgumentException if a number is out of its range, or a segment is on the heap,
  ///   not aligned or too small
  public Matrices {
    memory = List.copyOf(memory);
    if (rows < 0 || columns < 0 || stride < columns) {
      throw new IllegalArgumentException(
          "rows is %s, columns %s and stride %s, but rows and columns must be 0 or more, and stride at least columns"
              .formatted(rows, columns, stride));
    }
    long bytes = bytes(rows, columns, stride);
    for (int i = 0; i < memory.size(); i++) {
      MemorySegment each = memory.get(i);
      if (!each.isNative() || each.address() % Float.BYTES != 0 || each.byteSize() < bytes) {
        throw new IllegalArgumentException(
            "matrix %s is %s, but must be at least %s bytes off-heap, aligned to %s"
                .formatted(i, each, bytes, Float.BYTES));
      }
      Segments.requireAddress("matrix " + i, each, bytes);
    }
  }

  private static long bytes(long rows, long columns, long stride) {
    if (rows == 0 || columns == 0) {
      return 0;
    }
    try {
      long floats = Math.addExact(Math.multiplyExact(rows - 1, stride), columns);
      return Math.multiplyExact(floats, Float.BYTES);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "%s rows with a stride of %s have more than 2^63-1 bytes".formatted(rows, stride), e);
    }
  }

  /// Matrices without gaps between rows.
  public static Matrices dense(List<MemorySegment> memory, long rows, long columns) {
    return new Matrices(memory, rows, columns, columns);
  }

  public int count() {
    return memory.size();
  }

  /// The bytes from the first element of a matrix to its last.
  long bytes() {
    return bytes(rows, columns, stride);
  }

  String shape() {
    return "%s matrices of %s x %s".formatted(count(), rows, columns);
  }
}
