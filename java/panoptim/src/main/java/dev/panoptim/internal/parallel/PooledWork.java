package dev.panoptim.internal.parallel;

/// Work that the calling thread shares with threads of the [HelperPool].
///
/// Not thread-safe: one call of [#share] at a time.
public abstract class PooledWork implements HelperPool.Work {
  /// Does the work; returns when every thread is done.
  ///
  /// @param most the most helpers, 1 or more; fewer take part if other callers need the processors
  /// @param isLong whether the work takes so long that sleeping helpers are woken
  protected final void share(int most, boolean isLong) {
    int free = HelperPool.enter();
    int helpers = Math.min(most, free);
    try {
      begin(helpers);
      if (helpers > 0) {
        HelperPool.offer(helpers, free, this, isLong || WorkSplit.wakes(0));
      }
      lead();
    } finally {
      HelperPool.leave(this);
      end();
    }
  }

  /// Prepares the work for this number of helpers. If it is not 0, helpers may join from now on.
  protected abstract void begin(int helpers);

  /// Does the calling thread's part.
  protected abstract void lead();

  /// Ends the sharing, also if [#begin] or [#lead] has failed.
  protected abstract void end();
}
