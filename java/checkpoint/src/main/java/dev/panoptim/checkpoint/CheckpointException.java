package dev.panoptim.checkpoint;

/// A file is not a checkpoint, or is damaged. The message names the file and the defect.
///
/// Immutable.
public final class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CheckpointException(String message) {
    super(message);
  }

  CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
