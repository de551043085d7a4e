package dev.panoptim.rows;

import dev.panoptim.internal.table.Ids;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// The rows of a batch: a view of ids in an array or a segment, without a copy. An id may occur
/// more than once.
///
/// As thread-safe as the memory behind it. The ids must not change during a call that uses them.
public final class RowIds {
  private final Ids ids;

  private RowIds(MemorySegment memory, boolean isLong) {
    ids = new Ids(memory, isLong);
  }

  /// A view of an array.
  public static RowIds of(int... ids) {
    return new RowIds(MemorySegment.ofArray(Objects.requireNonNull(ids, "ids is null")), false);
  }

  /// A view of an array.
  public static RowIds of(long... ids) {
    return new RowIds(MemorySegment.ofArray(Objects.requireNonNull(ids, "ids is null")), true);
  }

  /// A view of a segment of 32-bit ids in native byte order, aligned or not.
  ///
  /// @throws IllegalArgumentException if its size is not a multiple of 4 bytes, or there are more
  ///   than 2^29 ids
  public static RowIds ofInts(MemorySegment ids) {
    return new RowIds(Objects.requireNonNull(ids, "ids is null"), false);
  }

  /// A view of a segment of 64-bit ids in native byte order, aligned or not.
  ///
  /// @throws IllegalArgumentException if its size is not a multiple of 8 bytes, or there are more
  ///   than 2^29 ids
  public static RowIds ofLongs(MemorySegment ids) {
    return new RowIds(Objects.requireNonNull(ids, "ids is null"), true);
  }

  /// The number of ids.
  public int count() {
    return ids.count();
  }

  /// One of the ids.
  ///
  /// @param index from 0 to [#count] - 1
  /// @throws IndexOutOfBoundsException if it is not
  /// @throws IllegalStateException if the arena of the ids has been closed
  public long get(int index) {
    return ids.get(index);
  }

  Ids ids() {
    return ids;
  }
}
