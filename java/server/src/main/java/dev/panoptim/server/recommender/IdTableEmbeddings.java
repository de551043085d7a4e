package dev.panoptim.server.recommender;

import dev.panoptim.rows.IdTable;
import dev.panoptim.rows.RowIds;
import dev.panoptim.rows.RowOptimizer;
import java.lang.foreign.MemorySegment;

/// Vectors in an [IdTable] under gradient descent.
public final class IdTableEmbeddings implements Embeddings {
  private static final int WIDTH = 16;

  /// Constant, because tastes never settle: the rates of Adagrad fall with time. Of the rates and
  /// rules that were tried, this one found the tastes with the fewest choices.
  private static final double LEARNING_RATE = 0.3;

  private static final double BOUND = 0.3;

  private final IdTable table;

  /// Copies of what the table tells its learner alone.
  private volatile long size;

  private volatile long bytes;

  public IdTableEmbeddings(long seed) {
    table =
        IdTable.builder(WIDTH)
            .optimizer(RowOptimizer.sgd(LEARNING_RATE))
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
