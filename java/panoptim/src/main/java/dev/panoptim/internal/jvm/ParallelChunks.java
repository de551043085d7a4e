package dev.panoptim.internal.jvm;

import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.Rows;
import dev.panoptim.internal.step.StepPlan;

/// The chunks of a plan, which the calling thread and threads of the
/// [HelperPool][dev.panoptim.internal.parallel.HelperPool] update in Java.
class ParallelChunks extends Prepared {
  private final StepPlan plan;
  private final Rows rows;
  private final SharedLoop loop = new SharedLoop();

  /// Made once, so that no step allocates it.
  private final SharedLoop.Range range = this::updateChunks;

  private ChunkUpdate update;

  ParallelChunks(Engine engine, StepPlan plan) {
    super(engine, plan);
    this.plan = plan;
    rows = plan.rows();
    if (rows.rule().isMeasured()) {
      measures().makeLanes();
    }
  }

  /// Updates all chunks; returns when every thread is done.
  ///
  /// @param threads the most threads that take part, including the calling one
  void run(int threads, ChunkUpdate update) {
    this.update = update;
    loop.run(rows.elements(), rows.confined() ? 1 : threads, range);
  }

  /// Does nothing: loops ask the plan for its gradients.
  @Override
  public void gradientsMoved() {}

  @Override
  public int helpers() {
    return loop.helpers();
  }

  /// Does nothing: there is no memory to free.
  @Override
  public void close() {}

  /// Updates the chunks that start in `[begin, end)`, elements counted over all rows. The places of
  /// chunks do not depend on how the work is shared.
  private void updateChunks(long begin, long end) {
    for (int row = rows.rowAt(begin); row < rows.count() && rows.offset(row) < end; row++) {
      long offset = rows.offset(row);
      long size = rows.get(row).size();
      long skipped = Math.ceilDiv(Math.max(0, begin - offset), (long) WorkSplit.CHUNK);
      for (long start = skipped * WorkSplit.CHUNK;
          start < size && offset + start < end;
          start += WorkSplit.CHUNK) {
        update.update(plan, row, start, (int) Math.min(WorkSplit.CHUNK, size - start));
      }
    }
  }
}
