package dev.panoptim.internal.ffm;

import dev.panoptim.internal.parallel.PooledWork;
import dev.panoptim.internal.parallel.WorkSplit;

/// A native call that the calling thread shares with helpers of the pool, by elements.
///
/// Not thread-safe.
abstract class SharedElements extends PooledWork {
  private long elements;

  /// Runs the call; returns when every thread is done.
  ///
  /// @param threads the most threads that take part, including the calling one
  final void run(long count, int threads) {
    elements = count;
    int most = WorkSplit.helpers(count, threads);
    if (most == 0) {
      lead();
    } else {
      share(most, WorkSplit.isLong(count));
    }
  }

  /// Opens the call to helpers, which wait until the downcall begins.
  ///
  /// @param share the elements that a thread takes at a time
  abstract void announce(long share);

  @Override
  protected final void begin(int helpers) {
    if (helpers > 0) {
      announce(WorkSplit.share(elements, helpers + 1));
    }
  }
}
