package dev.panoptim.checkpoint;

/// Receives the progress of writing a file.
///
/// Implementations are called by one thread at a time: the thread that writes the file.
@FunctionalInterface
public interface Progress {
  /// Ignores all progress.
  Progress NONE = (written, total) -> {};

  /// Called on the writing thread after each 512 KiB of a tensor, and at the end. An exception
  /// thrown from here aborts the save; earlier checkpoints are kept. If an interrupt of the thread
  /// makes the write start again, `written` starts again too.
  ///
  /// @param written bytes written so far
  /// @param total size of the whole file in bytes
  void update(long written, long total);
}
