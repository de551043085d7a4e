package dev.panoptim.internal.bindings;

/// Handles the `Throwable` that a call of a method handle declares, and the status that it returns.
///
/// Thread-safe.
public final class Downcall {
  private Downcall() {}

  /// The exception for a status that is not that of success.
  ///
  /// @param call what has failed
  /// @param error the error text that native code has written
  public static IllegalStateException failed(String call, int status, String error) {
    return new IllegalStateException(call + " failed with status " + status + ": " + error);
  }

  /// Throws the exception of a downcall again if it is unchecked, as all of them are:
  ///
  /// ```java
  /// try {
  ///   status = (int) HANDLE.invokeExact(memory);
  /// } catch (Throwable e) {
  ///   throw Downcall.unchecked(e);
  /// }
  /// ```
  ///
  /// @return an error for a checked exception, which no downcall throws
  /// @throws RuntimeException if `thrown` is one
  /// @throws Error if `thrown` is one
  public static AssertionError unchecked(Throwable thrown) {
    return switch (thrown) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> new AssertionError("a downcall throws no checked exception", thrown);
    };
  }
}
