package dev.panoptim.backend;

/// Thrown if an explicitly chosen backend is unavailable; the message lists the attempts.
public final class BackendUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1;

  BackendUnavailableException(String message) {
    super(message);
  }
}
