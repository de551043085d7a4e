package dev.panoptim.internal.step;

import dev.panoptim.internal.parallel.HelperPool;
import dev.panoptim.internal.parallel.WorkSplit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// A plan's chunks, updated in Java by the thread that makes the step and by those of the
/// [HelperPool] that come to help: what `step/sharing.h` is in C++.
///
/// The methods of the step are for one thread at a time; [#help] is thread-safe.
public final class ParallelChunks implements HelperPool.Work {
  private final StepPlan plan;
  private final AtomicLong taken = new AtomicLong();
  private final AtomicLong helped = new AtomicLong();
  private final AtomicInteger helping = new AtomicInteger();
  private volatile boolean open;
  private volatile Throwable failure;
  private StepPlan.ChunkUpdate update;
  private long share;
  private long shares;

  /// Threads that were asked to help with the last run.
  private int helpers;

  ParallelChunks(StepPlan plan) {
    this.plan = plan;
  }

  /// Updates all chunks; returns when every thread is done.
  ///
  /// @param threads at most so many
  public void run(int threads, StepPlan.ChunkUpdate update) {
    helpers = 0;
    int wanted = plan.confined() ? 0 : WorkSplit.helpers(plan.elements(), threads);
    if (wanted == 0) {
      plan.updateChunks(0, plan.elements(), update);
      return;
    }
    int free = HelperPool.enter();
    helpers = Math.min(wanted, free);
    this.update = update;
    share = WorkSplit.share(plan.elements(), helpers + 1);
    shares = Math.ceilDiv(plan.elements(), share);
    taken.set(0);
    helped.set(0);
    failure = null;
    try {
      open = helpers > 0;
      HelperPool.invite(helpers, free, this, WorkSplit.wakes(plan.elements(), HelperPool.WATCH));
      // From the front, and helpers from the back: at the next step each finds in its cache what it
      // had at this one.
      for (long next = 0; taken.getAndIncrement() < shares; next++) {
        update(next);
      }
    } finally {
      close();
    }
    rethrow();
  }

  int helpers() {
    return helpers;
  }

  private void close() {
    HelperPool.leave(this);
    open = false;
    // A helper first counts itself, then looks whether it may begin: it sees that or is seen here.
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
    plan.updateChunks(begin, Math.min(begin + share, plan.elements()), update);
  }
}
