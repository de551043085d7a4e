package dev.panoptim.checkpoint;

/// Is told how far the writing of a file is.
@FunctionalInterface
public interface Progress {
  /// Shows nothing.
  Progress NONE = (written, total) -> {};

  /// Called on the thread that writes, after each part of a MiB and at the end; what it throws ends
  /// the saving, and leaves the checkpoints that were there.
  ///
  /// @param written bytes so far
  /// @param total bytes in all
  void update(long written, long total);
}
