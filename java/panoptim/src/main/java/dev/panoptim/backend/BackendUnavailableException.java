package dev.panoptim.backend;

/// Thrown where a backend was asked for by name that cannot be had here; the message lists what was
/// tried.
public final class BackendUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1;

  BackendUnavailableException(String message) {
    super(message);
  }
}
