package dev.panoptim.internal.io;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileLockInterruptionException;

/// File access that an interrupt does not end.
///
/// Java closes a channel when its thread is interrupted. A thread that a server interrupts at its
/// end could then not save, and a reader would fail by chance. The actions here run with the
/// interrupt flag cleared. One that is interrupted meanwhile runs again from its beginning. The
/// flag is set again afterwards.
///
/// The safetensors module has the same class: neither module depends on the other.
///
/// Thread-safe.
public final class UninterruptedIo {
  /// Bounds the time that a thread can be kept busy by interrupts that never stop.
  private static final int MOST_ATTEMPTS = 100;

  /// Something that opens the channels it uses, closes them, and may be run again.
  @FunctionalInterface
  public interface Action<T> {
    T run() throws IOException;
  }

  private UninterruptedIo() {}

  /// Runs an action until no interrupt has ended it.
  ///
  /// @throws IOException what the action throws; a [ClosedByInterruptException] only after 100
  ///   attempts that were all interrupted
  public static <T> T run(Action<T> action) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      for (int attempt = 1; ; attempt++) {
        try {
          return action.run();
        } catch (ClosedChannelException | FileLockInterruptionException e) {
          // Nobody but an interrupt closes a channel that is the action's alone.
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
