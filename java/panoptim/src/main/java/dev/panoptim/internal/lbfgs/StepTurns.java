package dev.panoptim.internal.lbfgs;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// Gives an optimizer with closures to one thread at a time. A step and a reading wait for each
/// other; a second thread that steps is refused.
///
/// Thread-safe.
public final class StepTurns {
  private final ReentrantLock lock = new ReentrantLock(true);
  private volatile boolean stepping;
  private volatile boolean closed;

  /// Runs a step.
  ///
  /// @throws IllegalStateException if the optimizer has been closed, another thread steps it, or
  ///   this thread already uses it
  public <T> T step(Supplier<T> action) {
    requireOutside("step");
    if (!lock.tryLock()) {
      if (stepping) {
        throw new IllegalStateException(
            "another thread is stepping this optimizer, but one thread at a time may step it");
      }
      lock.lock();
    }
    try {
      requireOpen();
      stepping = true;
      return action.get();
    } finally {
      stepping = false;
      lock.unlock();
    }
  }

  /// Runs an action between steps.
  ///
  /// @param what the purpose, such as "be read"
  /// @throws IllegalStateException if the optimizer has been closed, or this thread already uses it
  public <T> T between(String what, Supplier<T> action) {
    requireOutside(what);
    lock.lock();
    try {
      requireOpen();
      return action.get();
    } finally {
      lock.unlock();
    }
  }

  /// Closes the optimizer after a running step.
  ///
  /// @param free frees the memory; is run again if the optimizer is closed again
  /// @throws IllegalStateException if this thread uses the optimizer
  public void close(Runnable free) {
    requireOutside("be closed");
    lock.lock();
    try {
      closed = true;
      free.run();
    } finally {
      lock.unlock();
    }
  }

  /// @throws IllegalStateException if the optimizer has been closed
  public void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the optimizer has been closed");
    }
  }

  private void requireOutside(String what) {
    if (lock.isHeldByCurrentThread()) {
      throw new IllegalStateException(
          "an optimizer cannot %s by the closure of its step, or by an action of withState:"
                  .formatted(what)
              + " do it once that has returned");
    }
  }
}
