package dev.panoptim.server.digits;

/// The learner has too much to do; the work was not accepted.
public final class BusyException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public BusyException(String message) {
    super(message);
  }
}
