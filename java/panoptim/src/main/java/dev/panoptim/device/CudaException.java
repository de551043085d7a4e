package dev.panoptim.device;

/// CUDA cannot be had, or refused something; the message has its own words.
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CudaException(String message) {
    super(message);
  }
}
