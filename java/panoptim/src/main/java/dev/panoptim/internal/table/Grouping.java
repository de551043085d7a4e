package dev.panoptim.internal.table;

import dev.panoptim.internal.step.TableBatch;
import java.util.Arrays;

/// Finds the distinct ids of a batch, and the gradients of each.
///
/// Rows are in the order in which their ids first occur, and the gradients of a row in the order of
/// the batch. So the bits of a step do not depend on threads.
///
/// Not thread-safe. Allocates only when a batch is larger than all before.
public final class Grouping {
  /// The largest id, as an unsigned number, of a table that has all ids.
  public static final long ANY = -1;

  private static final int FREE = 0;

  /// A hash table: an index of the batch plus 1, or [#FREE].
  private int[] slots = new int[16];

  /// The slots that this batch uses are those from 0 to here: a power of two, less 1.
  private int mask;

  /// Checks that ids are numbers of rows.
  ///
  /// @throws IndexOutOfBoundsException if one is not from 0 to `rows` - 1
  public static void requireRows(Ids ids, long rows) {
    for (int i = 0; i < ids.count(); i++) {
      checked(ids, i, rows - 1);
    }
  }

  /// Reads an id once. Another thread may change it at any time, and native code would write beyond
  /// the table.
  private static long checked(Ids ids, int index, long last) {
    long id = ids.get(index);
    if (Long.compareUnsigned(id, last) > 0) {
      throw new IndexOutOfBoundsException(
          "the id at index %s is %s, but must be from 0 to %s".formatted(index, id, last));
    }
    return id;
  }

  /// Fills a batch: its rows are the distinct ids.
  ///
  /// @param last the largest id that the table has, as an unsigned number
  /// @throws IndexOutOfBoundsException if an id is larger
  /// @throws OutOfMemoryError if the batch would exceed the limit of memory
  public void group(Ids ids, long last, TableBatch batch) {
    begin(ids, batch);
    for (int i = 0; i < ids.count(); i++) {
      long id = checked(ids, i, last);
      int slot = slotOf(id, batch);
      if (slots[slot] == FREE) {
        slots[slot] = batch.addWithGradient(id) + 1;
      } else {
        batch.addGradient(slots[slot] - 1);
      }
    }
  }

  /// Fills a batch with the distinct ids, without gradients; otherwise as [#group].
  public void distinct(Ids ids, long last, TableBatch batch) {
    begin(ids, batch);
    for (int i = 0; i < ids.count(); i++) {
      long id = checked(ids, i, last);
      int slot = slotOf(id, batch);
      if (slots[slot] == FREE) {
        slots[slot] = batch.add(id) + 1;
      }
    }
  }

  private void begin(Ids ids, TableBatch batch) {
    batch.begin(ids.count());
    clear(ids.count());
  }

  /// The slot of an id, which is free if the batch does not have it.
  private int slotOf(long id, TableBatch batch) {
    int slot = (int) IdHash.of(id) & mask;
    while (slots[slot] != FREE && batch.row(slots[slot] - 1) != id) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  /// Empties as many slots as a batch needs, which fills at most half of them.
  private void clear(int count) {
    int size = (int) Math.min(Long.highestOneBit(4L * count | 1), 2L * Ids.MOST);
    if (size > slots.length) {
      slots = new int[size];
    } else {
      Arrays.fill(slots, 0, size, FREE);
    }
    mask = size - 1;
  }
}
