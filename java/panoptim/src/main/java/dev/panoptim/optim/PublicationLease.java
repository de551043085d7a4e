package dev.panoptim.optim;

import java.util.concurrent.atomic.AtomicBoolean;

/// Holds published parameters until it is closed; see [Publication#acquire].
///
/// Thread-safe: any thread may close it.
public final class PublicationLease implements AutoCloseable {
  private final PublicationBuffer buffer;
  private final AtomicBoolean closed = new AtomicBoolean();

  /// @param buffer acquired by the caller
  PublicationLease(PublicationBuffer buffer) {
    this.buffer = buffer;
  }

  /// The held parameters.
  ///
  /// @throws IllegalStateException if this lease has been closed
  public PublishedParameters parameters() {
    if (closed.get()) {
      throw new IllegalStateException("the lease of published parameters has been closed");
    }
    return buffer.view();
  }

  /// Releases the parameters. Closing twice has no effect.
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      buffer.release();
    }
  }
}
