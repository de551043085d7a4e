package dev.panoptim.internal.jvm;

import dev.panoptim.internal.parallel.PooledJavaWork;
import dev.panoptim.internal.parallel.WorkSplit;
import java.util.concurrent.atomic.AtomicLong;

/// A loop over elements that the calling thread shares with threads of the
/// [HelperPool][dev.panoptim.internal.parallel.HelperPool].
///
/// One thread at a time may run it.
final class SharedLoop extends PooledJavaWork {
  /// The work on some of the elements.
  interface Range {
    /// @param begin the first element
    /// @param end the element after the last one
    void work(long begin, long end);
  }

  private final AtomicLong taken = new AtomicLong();
  private final AtomicLong helped = new AtomicLong();
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
    range = work;
    elements = count;
    run(wanted, WorkSplit.isLong(count));
  }

  /// The helpers that the last run offered work to.
  int helpers() {
    return helpers;
  }

  @Override
  protected void prepare(int helpers) {
    this.helpers = helpers;
    share = WorkSplit.share(elements, helpers + 1);
    shares = Math.ceilDiv(elements, share);
    taken.set(0);
    helped.set(0);
  }

  /// The caller takes shares from the front, helpers from the back. At the next run, each thread
  /// then finds its elements in its cache.
  @Override
  protected void lead() {
    for (long next = 0; taken.getAndIncrement() < shares; next++) {
      work(next);
    }
  }

  @Override
  protected void follow() {
    while (isOpen() && taken.getAndIncrement() < shares) {
      work(shares - 1 - helped.getAndIncrement());
    }
  }

  private void work(long index) {
    long begin = index * share;
    range.work(begin, Math.min(begin + share, elements));
  }
}
