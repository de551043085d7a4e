package dev.panoptim.internal.step;

import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The rows of one step, and for each row the list of its gradients.
///
/// The lists are off-heap, because native code reads them. Not thread-safe. Allocates only when a
/// batch is larger than all before.
public final class TableBatch {
  /// The end of a list, or an empty one.
  public static final int NONE = -1;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private MemorySegment rows = MemorySegment.NULL;
  private MemorySegment places = MemorySegment.NULL;
  private MemorySegment first = MemorySegment.NULL;
  private MemorySegment last = MemorySegment.NULL;
  private MemorySegment next = MemorySegment.NULL;
  private int capacity;
  private int count;
  private int gradientCount;

  /// Begins a batch without rows.
  ///
  /// @param gradients the number of gradients that will be added, and the most rows
  /// @throws OutOfMemoryError if the lists would exceed the limit of memory
  public void begin(int gradients) {
    if (gradients > capacity) {
      grow(Math.max(gradients, (int) Math.min(2L * capacity, Integer.MAX_VALUE)));
    }
    count = 0;
    gradientCount = 0;
  }

  private void grow(int size) {
    CollectedMemory memory = new CollectedMemory(MemoryKind.TABLES);
    MemorySegment longs = memory.allocate(2L * size * Long.BYTES, Long.BYTES);
    MemorySegment ints = memory.allocate(3L * size * Integer.BYTES, Integer.BYTES);
    rows = longs.asSlice(0, (long) size * Long.BYTES);
    places = longs.asSlice((long) size * Long.BYTES);
    long bytes = (long) size * Integer.BYTES;
    first = ints.asSlice(0, bytes);
    last = ints.asSlice(bytes, bytes);
    next = ints.asSlice(2 * bytes, bytes);
    capacity = size;
  }

  /// Adds a row, whose list is empty.
  ///
  /// @return its index in the batch
  public int add(long row) {
    rows.setAtIndex(LONG, count, row);
    first.setAtIndex(INT, count, NONE);
    return count++;
  }

  /// Adds the next gradient to the end of a row's list.
  public void addGradient(int index) {
    int gradient = gradientCount++;
    next.setAtIndex(INT, gradient, NONE);
    if (first.getAtIndex(INT, index) == NONE) {
      first.setAtIndex(INT, index, gradient);
    } else {
      next.setAtIndex(INT, last.getAtIndex(INT, index), gradient);
    }
    last.setAtIndex(INT, index, gradient);
  }

  /// The number of rows.
  public int count() {
    return count;
  }

  /// The number of gradients.
  public int gradientCount() {
    return gradientCount;
  }

  public long row(int index) {
    return rows.getAtIndex(LONG, index);
  }

  /// Replaces a row by another one, which has the same list.
  public void setRow(int index, long row) {
    rows.setAtIndex(LONG, index, row);
  }

  /// Removes the rows from an index on. Their gradients are in no list.
  public void truncate(int size) {
    count = size;
  }

  /// Moves a row with its list to another index.
  public void move(int from, int to) {
    rows.setAtIndex(LONG, to, row(from));
    first.setAtIndex(INT, to, first(from));
  }

  /// The first gradient of a row, or [#NONE].
  public int first(int index) {
    return first.getAtIndex(INT, index);
  }

  /// The gradient of the same row after another one, or [#NONE].
  public int next(int gradient) {
    return next.getAtIndex(INT, gradient);
  }

  /// Fills [#places].
  public void writePlaces(TableMemory memory) {
    for (int i = 0; i < count; i++) {
      places.setAtIndex(LONG, i, memory.place(row(i)));
    }
  }

  /// The places of the rows, as longs.
  public MemorySegment places() {
    return places;
  }

  /// The first gradients of the rows, as ints.
  public MemorySegment firsts() {
    return first;
  }

  /// For each gradient the next one of its row, as ints.
  public MemorySegment nexts() {
    return next;
  }
}
