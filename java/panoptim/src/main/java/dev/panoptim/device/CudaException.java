package dev.panoptim.device;

/// CUDA is unavailable, or has reported an error. The message contains CUDA's own message.
///
/// Immutable, except for what every exception has (stack trace, suppressed exceptions).
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CudaException(String message) {
    super(message);
  }
}
