package dev.panoptim.bench;

import dev.panoptim.rows.IdTable;
import dev.panoptim.rows.RowIds;
import dev.panoptim.rows.RowTable;
import java.lang.foreign.MemorySegment;
import java.util.stream.LongStream;

/// A table of one of the two kinds, in which every id from 0 on has a row.
final class RowTraining implements AutoCloseable {
  static final String ROWS = "RowTable";
  static final String IDS = "IdTable";

  private static final double BOUND = 0.05;
  private static final long SEED = 1;

  private interface Step {
    int step(RowIds ids, MemorySegment gradients);
  }

  private interface Gather {
    void gather(RowIds ids, MemorySegment target);
  }

  private final Step step;
  private final Gather gather;
  private final AutoCloseable table;

  private RowTraining(Step step, Gather gather, AutoCloseable table) {
    this.step = step;
    this.gather = gather;
    this.table = table;
  }

  /// @param kind [#ROWS] or [#IDS]
  static RowTraining of(String kind, BenchedRows optimizer, long rows, int threads) {
    if (kind.equals(ROWS)) {
      RowTable table = rowTable(optimizer, rows, threads);
      return new RowTraining(table::step, table::gather, table);
    }
    IdTable table = idTable(optimizer, threads);
    addIds(table, rows);
    return new RowTraining(table::step, table::gather, table);
  }

  static RowTable rowTable(BenchedRows optimizer, long rows, int threads) {
    return RowTable.builder(rows, RowBatches.WIDTH)
        .optimizer(optimizer.optimizer)
        .uniform(BOUND, SEED)
        .threads(threads)
        .build();
  }

  static IdTable idTable(BenchedRows optimizer, int threads) {
    return IdTable.builder(RowBatches.WIDTH)
        .optimizer(optimizer.optimizer)
        .uniform(BOUND, SEED)
        .threads(threads)
        .build();
  }

  /// Adds rows for the ids from 0 on. Gradients of 0 leave their first values.
  static void addIds(IdTable table, long count) {
    try (RowBatches batch = new RowBatches(1, 1)) {
      batch.gradients.fill((byte) 0);
      long bytes = (long) RowBatches.WIDTH * Float.BYTES;
      for (long id = 0; id < count; id += RowBatches.IDS) {
        long end = Math.min(count, id + RowBatches.IDS);
        table.step(
            RowIds.of(LongStream.range(id, end).toArray()),
            batch.gradients.asSlice(0, (end - id) * bytes));
      }
    }
  }

  /// Makes one step over each batch of a range.
  void step(RowBatches data, int from, int to) {
    for (RowIds each : data.batches.subList(from, to)) {
      step.step(each, data.gradients);
    }
  }

  void gather(RowIds ids, MemorySegment target) {
    gather.gather(ids, target);
  }

  @Override
  public void close() {
    try {
      table.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
