package dev.panoptim.internal.parallel;

import java.util.concurrent.atomic.AtomicInteger;

/// Pooled work in Java. The same scheme as `step/sharing.h` in C++.
///
/// Not thread-safe: one call of [#run] at a time.
public abstract class PooledJavaWork extends PooledWork {
  private final AtomicInteger helping = new AtomicInteger();
  private volatile boolean open;
  private volatile Throwable failure;

  /// Does the work, as [#share], and throws again what a helper has thrown.
  protected final void run(int most, boolean isLong) {
    share(most, isLong);
    Throwable thrown = failure;
    switch (thrown) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError("the work throws nothing checked", thrown);
    }
  }

  /// Prepares the work for this number of helpers.
  protected abstract void prepare(int helpers);

  /// Does a helper's part.
  protected abstract void follow();

  /// Whether helpers may still take work.
  protected final boolean isOpen() {
    return open;
  }

  @Override
  protected final void begin(int helpers) {
    prepare(helpers);
    failure = null;
    open = helpers > 0;
  }

  @Override
  protected final void end() {
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

  @Override
  public final void help() {
    if (!open) {
      return;
    }
    helping.incrementAndGet();
    try {
      if (open) {
        follow();
      }
    } catch (Throwable e) {
      failure = e;
    } finally {
      helping.decrementAndGet();
    }
  }
}
