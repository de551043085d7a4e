package dev.panoptim.internal.io;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileLockInterruptionException;

/// Runs file access to its end although the thread is interrupted.
///
/// Java closes a channel when its thread is interrupted. Without this class, a thread that a server
/// interrupts at shutdown could not save, and reads would fail at random. The actions run with a
/// cleared interrupt status. An action that an interrupt ends runs again from its beginning. The
/// interrupt status is restored afterwards.
///
/// The safetensors module has a copy of this class, because neither module depends on the other.
///
/// Thread-safe.
public final class UninterruptedIo {
  /// Limits how long an endless series of interrupts can delay the thread.
  private static final int MOST_ATTEMPTS = 100;

  /// An action that opens and closes the channels it uses, and that may run again.
  @FunctionalInterface
  public interface Action<T> {
    T run() throws IOException;
  }

  private UninterruptedIo() {}

  /// Runs an action until it ends without an interrupt.
  ///
  /// @throws IOException the exception of the action; a [ClosedByInterruptException] only after 100
  ///   interrupted attempts
  public static <T> T run(Action<T> action) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      for (int attempt = 1; ; attempt++) {
        try {
          return action.run();
        } catch (ClosedChannelException | FileLockInterruptionException e) {
          // Only an interrupt closes a channel that the action alone uses.
          interrupted = true;
          Thread.interrupted();
          if (attempt == MOST_ATTEMPTS) {
            throw e;
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
