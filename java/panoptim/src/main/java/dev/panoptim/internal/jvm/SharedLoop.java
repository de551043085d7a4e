package dev.panoptim.internal.jvm;

import dev.panoptim.internal.parallel.HelperPool;
import dev.panoptim.internal.parallel.WorkSplit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// A loop over elements that the calling thread shares with threads of the [HelperPool]. The same
/// scheme as `step/sharing.h` in C++.
///
/// One thread at a time may run it.
final class SharedLoop implements HelperPool.Work {
  /// The work on some of the elements.
  interface Range {
    /// @param begin the first element
    /// @param end the element after the last one
    void work(long begin, long end);
  }

  private final AtomicLong taken = new AtomicLong();
  private final AtomicLong helped = new AtomicLong();
  private final AtomicInteger helping = new AtomicInteger();
  private volatile boolean open;
  private volatile Throwable failure;
  private Range range;
  private long elements;
  private long share;
  private long shares;
  private int helpers;

  /// Works on all elements; returns when every thread is done.
  ///
  /// @param threads the most threads that take part, including the calling one
  void run(long count, int threads, Range work) {
    helpers = 0;
    int wanted = WorkSplit.helpers(count, threads);
    if (wanted == 0) {
      work.work(0, count);
      return;
    }
    int free = HelperPool.enter();
    helpers = Math.min(wanted, free);
    range = work;
    elements = count;
    share = WorkSplit.share(count, helpers + 1);
    shares = Math.ceilDiv(count, share);
    taken.set(0);
    helped.set(0);
    failure = null;
    try {
      open = helpers > 0;
      HelperPool.offer(helpers, free, this, WorkSplit.wakes(count));
      // The caller takes shares from the front, helpers from the back. At the next run, each thread
      // then finds its elements in its cache.
      for (long next = 0; taken.getAndIncrement() < shares; next++) {
        work(next);
      }
    } finally {
      endSharing();
    }
    rethrow();
  }

  /// The helpers that the last run offered work to.
  int helpers() {
    return helpers;
  }

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
      default -> throw new AssertionError("the work throws nothing checked", thrown);
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
        work(shares - 1 - helped.getAndIncrement());
      }
    } catch (Throwable e) {
      failure = e;
    } finally {
      helping.decrementAndGet();
    }
  }

  private void work(long index) {
    long begin = index * share;
    range.work(begin, Math.min(begin + share, elements));
  }
}
