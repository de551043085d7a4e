package dev.panoptim.internal.table;

import java.util.Arrays;

/// What has changed in a table by ids since it was saved: the records whose rows have changed, and
/// the ids that have been removed.
///
/// An id that was removed and added again is among both. An id that was added and removed since is
/// among neither.
///
/// Not thread-safe. Allocates only when there are more records, or more removed ids, than before.
public final class IdChanges {
  private final RowSet changed = new RowSet(0);

  /// The records whose ids are in the file.
  private final RowSet saved = new RowSet(0);

  private long[] removed = new long[16];
  private int removedCount;

  /// Makes room for records: no later method fails for one of them, except [#removed(long, long)].
  ///
  /// @throws OutOfMemoryError if the heap is too small; nothing has changed
  public void reserve(long records) {
    changed.reserve(records);
    saved.reserve(records);
  }

  /// Notes that a record's row changes.
  public void changed(long record) {
    changed.add(record);
  }

  /// Notes that an id will be removed.
  ///
  /// @throws OutOfMemoryError if the heap is too small; nothing has changed
  public void removed(long id, long record) {
    if (saved.contains(record)) {
      if (removedCount == removed.length) {
        removed = Arrays.copyOf(removed, (int) Math.min(2L * removedCount, Integer.MAX_VALUE - 8));
      }
      removed[removedCount++] = id;
      saved.remove(record);
    }
    changed.remove(record);
  }

  /// The records that have changed.
  public RowSet changed() {
    return changed;
  }

  /// The number of removed ids.
  public int removedCount() {
    return removedCount;
  }

  /// A removed id.
  public long removed(int index) {
    return removed[index];
  }

  /// Begins anew after all records have been written.
  public void written(IdRecords records) {
    saved.clear();
    for (long record = 0; record < records.count(); record++) {
      if (records.isLive(record)) {
        saved.add(record);
      }
    }
    begin();
  }

  /// Begins anew after the changes have been written.
  public void written() {
    for (long record = changed.next(0); record != RowSet.NONE; record = changed.next(record + 1)) {
      saved.add(record);
    }
    begin();
  }

  private void begin() {
    changed.clear();
    removedCount = 0;
  }
}
