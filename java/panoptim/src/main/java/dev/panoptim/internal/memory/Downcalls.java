package dev.panoptim.internal.memory;

/// Ends the exceptions of downcalls. Their method handles declare [Throwable], but a downcall
/// throws only unchecked exceptions, such as the [IllegalStateException] of an arena that has been
/// closed.
///
/// Thread-safe.
public final class Downcalls {
  private Downcalls() {}

  /// Throws an unchecked exception again. To be used as `throw Downcalls.unchecked(e)`.
  ///
  /// @return the error for a checked exception, which no downcall throws
  public static AssertionError unchecked(Throwable thrown) {
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
    if (thrown instanceof Error error) {
      throw error;
    }
    return new AssertionError("a downcall throws no checked exception", thrown);
  }
}
