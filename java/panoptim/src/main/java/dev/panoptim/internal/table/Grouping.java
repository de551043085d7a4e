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
  private static final int FREE = 0;

  /// A hash table: an index of the batch plus 1, or [#FREE].
  private int[] slots = new int[16];

  /// Checks that ids are numbers of rows.
  ///
  /// @throws IndexOutOfBoundsException if one is not from 0 to `rows` - 1
  public static void requireRows(Ids ids, long rows) {
    for (int i = 0; i < ids.count(); i++) {
      if (Long.compareUnsigned(ids.get(i), rows) >= 0) {
        throw new IndexOutOfBoundsException(
            "the id at index %s is %s, but must be from 0 to %s"
                .formatted(i, ids.get(i), rows - 1));
      }
    }
  }

  /// Fills a batch: its rows are the distinct ids.
  ///
  /// @throws OutOfMemoryError if the batch would exceed the limit of memory
  public void group(Ids ids, TableBatch batch) {
    begin(ids, batch);
    for (int i = 0; i < ids.count(); i++) {
      long id = ids.get(i);
      int slot = slotOf(id, batch);
      if (slots[slot] == FREE) {
        slots[slot] = batch.addWithGradient(id) + 1;
      } else {
        batch.addGradient(slots[slot] - 1);
      }
    }
  }

  /// Fills a batch with the distinct ids, without gradients.
  ///
  /// @throws OutOfMemoryError if the batch would exceed the limit of memory
  public void distinct(Ids ids, TableBatch batch) {
    begin(ids, batch);
    for (int i = 0; i < ids.count(); i++) {
      long id = ids.get(i);
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
    int mask = slots.length - 1;
    int slot = (int) IdHash.of(id) & mask;
    while (slots[slot] != FREE && batch.row(slots[slot] - 1) != id) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  /// Empties the hash table, which is at most half full.
  private void clear(int count) {
    if (count > slots.length / 2) {
      slots = new int[(int) Math.min(Long.highestOneBit(4L * count), 1 << 30)];
    } else {
      Arrays.fill(slots, FREE);
    }
  }
}
