package dev.panoptim.rows;

import dev.panoptim.internal.checkpoint.TableState;
import dev.panoptim.internal.table.DenseRows;
import dev.panoptim.internal.table.RowSet;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The state of a [RowTable] for a checkpoint.
final class RowTableState extends SavedTable {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private final RowTable table;

  RowTableState(RowTable table) {
    super(table.user, table.steps);
    this.table = table;
  }

  @Override
  public Map<String, String> description() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("kind", "RowTable");
    all.put("rows", Long.toString(table.rows()));
    all.put("width", Integer.toString(table.width()));
    all.put("optimizer", table.optimizer.describe());
    return all;
  }

  @Override
  public List<Field> fields() {
    return SavedFields.of(table.memory, table.optimizer);
  }

  @Override
  public boolean hasIds() {
    return false;
  }

  @Override
  public MemorySegment sightings() {
    return null;
  }

  @Override
  public long additions() {
    return 0;
  }

  @Override
  public void track() {
    if (table.changes != null) {
      throw new IllegalStateException("the table has an open checkpoint already");
    }
    table.memory.steps(); // Throws if the table has been closed.
    table.changes = new RowSet(table.rows());
  }

  @Override
  public void untrack() {
    table.changes = null;
  }

  @Override
  public Rows all() {
    return new SavedRows(
        table.memory,
        table.rows(),
        from -> from < table.rows() ? from : RowSet.NONE,
        row -> row,
        0,
        index -> 0);
  }

  @Override
  public Rows changed() {
    RowSet changes = table.changes;
    return new SavedRows(table.memory, changes.count(), changes::next, row -> row, 0, index -> 0);
  }

  @Override
  public void written(boolean full) {
    table.changes.clear();
  }

  @Override
  public void load(Contents contents) {
    if (steps() != 0) {
      throw new IllegalStateException(
          "the table has made %s steps, but a checkpoint is loaded before the first one"
              .formatted(steps()));
    }
    requireRestorable(contents);
    contents.parts().forEach(each -> require(each, contents.steps()));
    table.memory.steps(DenseRows.INCOMPLETE);
    try {
      contents.parts().forEach(this::load);
    } catch (Throwable e) {
      // A file was cut off at the same time.
      table.memory.close();
      throw new IllegalStateException(
          "a part of the rows could not be read, and the table has been closed: " + e, e);
    }
    restoreSteps(contents);
    table.memory.steps(contents.steps());
    table.changes.clear();
  }

  private void require(Part part, long steps) {
    MemorySegment ids = part.ids();
    if (ids == null) {
      if (part.count() != table.rows()) {
        throw new IllegalArgumentException(
            "%s: there are %s rows, but must be %s"
                .formatted(part.name(), part.count(), table.rows()));
      }
    } else {
      long least = 0;
      for (long i = 0; i < part.count(); i++) {
        long row = ids.getAtIndex(LONG, i);
        if (row < least || row >= table.rows()) {
          throw new IllegalArgumentException(
              "%s: the id at index %s is %s, but must be from %s to %s"
                  .formatted(part.name(), i, row, least, table.rows() - 1));
        }
        least = row + 1;
      }
    }
    if (part.removed().byteSize() != 0) {
      throw new IllegalArgumentException(part.name() + ": rows of this table cannot be removed");
    }
    TableState.requireSteps(part, steps);
  }

  private void load(Part part) {
    part.values()
        .forEach(
            (field, values) -> {
              MemorySegment operand = table.memory.operand(field.operand());
              if (part.ids() == null) {
                MemorySegment.copy(values, 0, operand, 0, values.byteSize());
              } else {
                long bytes = field.bytes();
                for (long i = 0; i < part.count(); i++) {
                  long row = part.ids().getAtIndex(LONG, i);
                  MemorySegment.copy(values, i * bytes, operand, row * bytes, bytes);
                }
              }
            });
  }
}
