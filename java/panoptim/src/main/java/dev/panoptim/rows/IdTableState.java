package dev.panoptim.rows;

import dev.panoptim.internal.checkpoint.TableState;
import dev.panoptim.internal.table.IdChanges;
import dev.panoptim.internal.table.IdIndex;
import dev.panoptim.internal.table.IdRecords;
import dev.panoptim.internal.table.RowSet;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The state of an [IdTable] for a checkpoint.
final class IdTableState extends SavedTable {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private final IdTable table;

  IdTableState(IdTable table) {
    super(table.user, table.steps);
    this.table = table;
  }

  @Override
  public Map<String, String> description() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("kind", "IdTable");
    all.put("width", Integer.toString(table.width()));
    all.put("optimizer", table.optimizer.describe());
    all.put("firstValues", table.firstValues.describe());
    all.put("admitAfter", Integer.toString(table.admitAfter));
    all.put("expectedIds", table.sightings == null ? "any" : Long.toString(table.expectedIds));
    all.put(
        "evictAfter",
        table.evictAfter == IdTable.NEVER ? "never" : Long.toString(table.evictAfter));
    return all;
  }

  @Override
  public List<Field> fields() {
    return SavedFields.of(table.records, table.optimizer);
  }

  @Override
  public boolean hasIds() {
    return true;
  }

  @Override
  public MemorySegment sightings() {
    return table.sightings == null ? null : table.sightings.memory();
  }

  @Override
  public long additions() {
    return table.sightings == null ? 0 : table.sightings.additions();
  }

  @Override
  public void track() {
    if (table.changes != null) {
      throw new IllegalStateException("the table has an open checkpoint already");
    }
    if (!table.arena.isOpen()) {
      throw new IllegalStateException("the table has been closed");
    }
    IdChanges made = new IdChanges();
    made.reserve(table.records.count());
    table.changes = made;
  }

  @Override
  public void untrack() {
    table.changes = null;
  }

  @Override
  public Rows all() {
    IdRecords records = table.records;
    return new SavedRows(records, records.live(), this::nextLive, records::id, 0, index -> 0);
  }

  private long nextLive(long from) {
    for (long record = from; record < table.records.count(); record++) {
      if (table.records.isLive(record)) {
        return record;
      }
    }
    return RowSet.NONE;
  }

  @Override
  public Rows changed() {
    IdChanges changes = table.changes;
    return new SavedRows(
        table.records,
        changes.changed().count(),
        changes.changed()::next,
        table.records::id,
        changes.removedCount(),
        changes::removed);
  }

  @Override
  public void written(boolean full) {
    if (full) {
      table.changes.written(table.records);
    } else {
      table.changes.written();
    }
  }

  @Override
  public void load(Contents contents) {
    if (steps() != 0 || table.size() != 0) {
      throw new IllegalStateException(
          "the table has made %s steps and has %s rows, but a checkpoint is loaded into a new table"
              .formatted(steps(), table.size()));
    }
    requireRestorable(contents);
    if (contents.additions() < 0) {
      throw new IllegalArgumentException(
          "the number of additions is %s, but must be 0 or more".formatted(contents.additions()));
    }
    contents.parts().forEach(each -> TableState.requireSteps(each, contents.steps()));
    try {
      contents.parts().forEach(this::load);
      if (table.sightings != null) {
        table.sightings.restore(contents.sightings(), contents.additions());
      }
    } catch (Throwable e) {
      empty();
      throw e;
    }
    restoreSteps(contents);
    table.completed(contents.steps());
    table.changes.written(table.records);
  }

  private void load(Part part) {
    for (long i = 0; i < part.removed().byteSize() / Long.BYTES; i++) {
      long id = part.removed().getAtIndex(LONG, i);
      long record = table.index.find(id);
      if (record == IdIndex.ABSENT) {
        throw new IllegalArgumentException(
            "%s: the removed id at index %s is %s, but no file before has it"
                .formatted(part.name(), i, id));
      }
      table.remove(id, record);
    }
    RowSet seen = new RowSet(table.records.count());
    for (long i = 0; i < part.count(); i++) {
      long id = part.ids().getAtIndex(LONG, i);
      long old = table.index.find(id);
      if (old != IdIndex.ABSENT) {
        if (seen.contains(old)) {
          throw new IllegalArgumentException(
              "%s: the id at index %s is %s, as one before".formatted(part.name(), i, id));
        }
        table.remove(id, old);
      }
      seen.add(add(part, i, id));
    }
  }

  private long add(Part part, long index, long id) {
    IdRecords records = table.records;
    table.reserve();
    long record = records.take(id);
    try {
      part.values()
          .forEach(
              (field, values) ->
                  MemorySegment.copy(
                      values,
                      index * field.bytes(),
                      records.segment(field.operand(), record),
                      records.offset(field.operand(), record),
                      field.bytes()));
      records.publish(record);
      table.index.put(id, record);
      return record;
    } catch (Throwable e) {
      records.free(record);
      throw e;
    }
  }

  private void empty() {
    IdRecords records = table.records;
    for (long record = 0; record < records.count(); record++) {
      if (records.isLive(record)) {
        table.remove(records.id(record), record);
      }
    }
    if (table.sightings != null) {
      table.sightings.restore(table.sightings.memory().fill((byte) 0), 0);
    }
  }
}
