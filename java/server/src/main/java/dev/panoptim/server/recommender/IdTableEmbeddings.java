package dev.panoptim.server.recommender;

import dev.panoptim.rows.IdTable;
import dev.panoptim.rows.RowIds;
import dev.panoptim.rows.RowOptimizer;
import java.lang.foreign.MemorySegment;

/// Vectors in an [IdTable] under Adam.
public final class IdTableEmbeddings implements Embeddings {
  private static final int WIDTH = 16;

  /// High, because tastes change quickly.
  private static final double LEARNING_RATE = 0.03;

  private static final double BOUND = 0.3;

  private final IdTable table;

  /// Copies of what the table tells its learner alone.
  private volatile long size;

  private volatile long bytes;

  public IdTableEmbeddings(long seed) {
    table =
        IdTable.builder(WIDTH)
            .optimizer(RowOptimizer.adam(LEARNING_RATE))
            .uniform(BOUND, seed)
            .threads(1)
            .build();
    bytes = table.memory();
  }

  @Override
  public int width() {
    return WIDTH;
  }

  @Override
  public void gather(long[] ids, MemorySegment target) {
    table.gather(RowIds.of(ids), target);
  }

  @Override
  public void step(long[] ids, MemorySegment gradients) {
    table.step(RowIds.of(ids), gradients);
    size = table.size();
    bytes = table.memory();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    table.close();
  }
}
