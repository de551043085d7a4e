package dev.panoptim.internal.table;

import java.util.Arrays;

/// A set of row numbers: a bit for each row.
///
/// Not thread-safe. Allocates only when a number is larger than all before.
public final class RowSet {
  /// The result of [#next] after the last row.
  public static final long NONE = -1;

  private static final long MOST_ROWS = (Integer.MAX_VALUE - 8L) * Long.SIZE;

  private long[] words;
  private long count;

  /// Creates an empty set.
  ///
  /// @param rows room for the numbers from 0 to `rows` - 1
  /// @throws OutOfMemoryError if the heap is too small
  public RowSet(long rows) {
    words = new long[words(rows)];
  }

  private static int words(long rows) {
    if (rows > MOST_ROWS) {
      throw new OutOfMemoryError("a set of %s rows does not fit into an array".formatted(rows));
    }
    return (int) Math.ceilDiv(rows, (long) Long.SIZE);
  }

  /// Makes room, so that adding a number below `rows` cannot fail.
  ///
  /// @throws OutOfMemoryError if the heap is too small; nothing has changed
  public void reserve(long rows) {
    int needed = words(rows);
    if (needed > words.length) {
      words = Arrays.copyOf(words, (int) Math.clamp(2L * words.length, needed, words(MOST_ROWS)));
    }
  }

  /// Adds a row.
  ///
  /// @return whether it was absent
  /// @throws OutOfMemoryError as [#reserve]
  public boolean add(long row) {
    reserve(row + 1);
    int word = (int) (row >>> 6);
    long before = words[word];
    long after = before | 1L << row;
    if (before == after) {
      return false;
    }
    words[word] = after;
    count++;
    return true;
  }

  /// Removes a row.
  ///
  /// @return whether it was present
  public boolean remove(long row) {
    if (!contains(row)) {
      return false;
    }
    words[(int) (row >>> 6)] &= ~(1L << row);
    count--;
    return true;
  }

  public boolean contains(long row) {
    long word = row >>> 6;
    return word < words.length && (words[(int) word] & 1L << row) != 0;
  }

  /// The number of rows in the set.
  public long count() {
    return count;
  }

  /// The first row of the set from a number on, or [#NONE].
  public long next(long from) {
    for (long word = from >>> 6; word < words.length; word++) {
      long bits = words[(int) word];
      if (word == from >>> 6) {
        bits &= -1L << from;
      }
      if (bits != 0) {
        return (word << 6) + Long.numberOfTrailingZeros(bits);
      }
    }
    return NONE;
  }

  /// Removes all rows.
  public void clear() {
    Arrays.fill(words, 0);
    count = 0;
  }
}
