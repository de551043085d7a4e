package dev.panoptim.internal.step;

import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The rows of one step, and for each row the list of its gradients.
///
/// What native code reads is off-heap. Not thread-safe. Allocates only when a batch is larger than
/// all before.
public final class TableBatch {
  /// The end of a list, or an empty one.
  public static final int NONE = -1;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private long[] rows = new long[0];

  /// For each row the end of its list.
  private int[] last = new int[0];

  private MemorySegment places = MemorySegment.NULL;
  private MemorySegment first = MemorySegment.NULL;
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
    places = memory.allocate((long) size * Long.BYTES, Long.BYTES);
    long bytes = (long) size * Integer.BYTES;
    MemorySegment ints = memory.allocate(2 * bytes, Integer.BYTES);
    first = ints.asSlice(0, bytes);
    next = ints.asSlice(bytes);
    rows = new long[size];
    last = new int[size];
    capacity = size;
  }

  /// Adds a row, whose list is empty.
  ///
  /// @return its index in the batch
  public int add(long row) {
    rows[count] = row;
    first.setAtIndex(INT, count, NONE);
    return count++;
  }

  /// Adds a row, whose list has the next gradient.
  ///
  /// @return its index in the batch
  public int addWithGradient(long row) {
    rows[count] = row;
    last[count] = gradientCount;
    first.setAtIndex(INT, count, gradientCount);
    next.setAtIndex(INT, gradientCount++, NONE);
    return count++;
  }

  /// Adds the next gradient to the end of a row's list, which is not empty.
  public void addGradient(int index) {
    next.setAtIndex(INT, last[index], gradientCount);
    last[index] = gradientCount;
    next.setAtIndex(INT, gradientCount++, NONE);
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
    return rows[index];
  }

  /// Replaces a row by another one, which has the same list.
  public void setRow(int index, long row) {
    rows[index] = row;
  }

  /// Removes the rows from an index on. Their gradients are in no list.
  public void truncate(int size) {
    count = size;
  }

  /// Moves a row with its list to another index.
  public void move(int from, int to) {
    rows[to] = rows[from];
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
