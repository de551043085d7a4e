package dev.panoptim.internal.jvm;

import dev.panoptim.internal.parallel.HelperPool;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.Rows;
import dev.panoptim.internal.step.StepPlan;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// The chunks of a plan, which the calling thread and threads of the [HelperPool] update in Java.
/// The same scheme as `step/sharing.h` in C++.
class ParallelChunks extends Prepared implements HelperPool.Work {
  private final StepPlan plan;
  private final Rows rows;
  private final AtomicLong taken = new AtomicLong();
  private final AtomicLong helped = new AtomicLong();
  private final AtomicInteger helping = new AtomicInteger();
  private volatile boolean open;
  private volatile Throwable failure;
  private ChunkUpdate update;
  private long share;
  private long shares;

  private int helpers;

  ParallelChunks(Engine engine, StepPlan plan) {
    super(engine, plan);
    this.plan = plan;
    rows = plan.rows();
  }

  /// Updates all chunks; returns when every thread is done.
  ///
  /// @param threads the most threads that take part, including the calling one
  void run(int threads, ChunkUpdate update) {
    helpers = 0;
    int wanted = rows.confined() ? 0 : WorkSplit.helpers(rows.elements(), threads);
    if (wanted == 0) {
      updateChunks(0, rows.elements(), update);
      return;
    }
    int free = HelperPool.enter();
    helpers = Math.min(wanted, free);
    this.update = update;
    share = WorkSplit.share(rows.elements(), helpers + 1);
    shares = Math.ceilDiv(rows.elements(), share);
    taken.set(0);
    helped.set(0);
    failure = null;
    try {
      open = helpers > 0;
      HelperPool.offer(helpers, free, this, WorkSplit.wakes(rows.elements()));
      // The caller takes chunks from the front, helpers from the back. At the next step, each
      // thread then finds its chunks in its cache.
      for (long next = 0; taken.getAndIncrement() < shares; next++) {
        update(next);
      }
    } finally {
      endSharing();
    }
    rethrow();
  }

  /// Does nothing: loops ask the plan for its gradients.
  @Override
  public void gradientsMoved() {}

  @Override
  public int helpers() {
    return helpers;
  }

  /// Does nothing: there is no memory to free.
  @Override
  public void close() {}

  private void endSharing() {
    HelperPool.leave(this);
    open = false;
    // A helper increments `helping` before it reads `open` again: it either sees the end or is
    // waited for here.
    for (int i = 1; helping.get() > 0; i++) {
      if (i % 256 == 0) {
        Thread.yield();
      } else {
        Thread.onSpinWait();
      }
    }
  }

  private void rethrow() {
    Throwable thrown = failure;
    switch (thrown) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError("an update throws nothing checked", thrown);
    }
  }

  @Override
  public void help() {
    if (!open) {
      return;
    }
    helping.incrementAndGet();
    try {
      while (open && taken.getAndIncrement() < shares) {
        update(shares - 1 - helped.getAndIncrement());
      }
    } catch (Throwable e) {
      failure = e;
    } finally {
      helping.decrementAndGet();
    }
  }

  private void update(long index) {
    long begin = index * share;
    updateChunks(begin, Math.min(begin + share, rows.elements()), update);
  }

  /// Updates the chunks that start in `[begin, end)`, elements counted over all rows. The places of
  /// chunks do not depend on how the work is shared.
  private void updateChunks(long begin, long end, ChunkUpdate chunkUpdate) {
    for (int row = rows.rowAt(begin); row < rows.count() && rows.offset(row) < end; row++) {
      long offset = rows.offset(row);
      long size = rows.get(row).size();
      long skipped = Math.ceilDiv(Math.max(0, begin - offset), (long) WorkSplit.CHUNK);
      for (long start = skipped * WorkSplit.CHUNK;
          start < size && offset + start < end;
          start += WorkSplit.CHUNK) {
        chunkUpdate.update(plan, row, start, (int) Math.min(WorkSplit.CHUNK, size - start));
      }
    }
  }
}
