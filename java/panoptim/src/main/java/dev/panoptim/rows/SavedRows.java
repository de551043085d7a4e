package dev.panoptim.rows;

import dev.panoptim.internal.checkpoint.TableState;
import dev.panoptim.internal.step.TableMemory;
import dev.panoptim.internal.table.DenseRows;
import dev.panoptim.internal.table.RowSet;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntToLongFunction;
import java.util.function.LongUnaryOperator;

/// Rows of a table that a checkpoint writes.
///
/// @param next the first row from a number on, or [RowSet#NONE]
/// @param id the id of a row
/// @param removedId the removed id at an index
record SavedRows(
    TableMemory memory,
    long count,
    LongUnaryOperator next,
    LongUnaryOperator id,
    int removedIds,
    IntToLongFunction removedId)
    implements TableState.Rows {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  @Override
  public TableState.Reader ids() {
    return new Sequence() {
      @Override
      void copy(long row, int index, MemorySegment to) {
        to.setAtIndex(LONG, index, id.applyAsLong(row));
      }
    };
  }

  @Override
  public TableState.Reader values(TableState.Field field) {
    if (memory instanceof DenseRows dense && count == dense.rows()) {
      return whole(dense.operand(field.operand()), field.bytes());
    }
    return new Sequence() {
      @Override
      void copy(long row, int index, MemorySegment to) {
        MemorySegment.copy(
            memory.segment(field.operand(), row),
            memory.offset(field.operand(), row),
            to,
            index * field.bytes(),
            field.bytes());
      }
    };
  }

  private static TableState.Reader whole(MemorySegment operand, long rowBytes) {
    return new TableState.Reader() {
      private long at;

      @Override
      public void read(int length, MemorySegment to) {
        MemorySegment.copy(operand, at, to, 0, length * rowBytes);
        at += length * rowBytes;
      }
    };
  }

  @Override
  public long removedCount() {
    return removedIds;
  }

  @Override
  public TableState.Reader removed() {
    return new TableState.Reader() {
      private int at;

      @Override
      public void read(int length, MemorySegment to) {
        for (int i = 0; i < length; i++) {
          to.setAtIndex(LONG, i, removedId.applyAsLong(at++));
        }
      }
    };
  }

  /// Goes through the rows.
  private abstract class Sequence implements TableState.Reader {
    private long row;

    @Override
    public final void read(int length, MemorySegment to) {
      for (int i = 0; i < length; i++) {
        row = next.applyAsLong(row);
        copy(row, i, to);
        row++;
      }
    }

    abstract void copy(long row, int index, MemorySegment to);
  }
}
