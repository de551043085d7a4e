package dev.panoptim.internal.table;

import java.util.concurrent.atomic.AtomicReference;

/// Refuses a second thread while one thread uses a table.
///
/// Thread-safe.
public final class OneThread {
  private final AtomicReference<Thread> user = new AtomicReference<>();

  /// Begins a use; [#leave] ends it.
  ///
  /// @throws IllegalStateException if another use has not ended
  public void enter() {
    if (!user.compareAndSet(null, Thread.currentThread())) {
      Thread other = user.get();
      throw new IllegalStateException(
          "the table is used by %s, but one thread at a time may use it"
              .formatted(other == null ? "another thread" : "thread " + other.getName()));
    }
  }

  public void leave() {
    user.setRelease(null);
  }
}
