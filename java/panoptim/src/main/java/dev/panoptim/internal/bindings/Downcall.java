package dev.panoptim.internal.bindings;

/// The end of a `Throwable` that a call of a method handle declares.
///
/// Thread-safe.
public final class Downcall {
  private Downcall() {}

  /// Turns what a downcall threw into something unchecked:
  ///
  /// ```java
  /// try {
  ///   status = (int) HANDLE.invokeExact(memory);
  /// } catch (Throwable e) {
  ///   throw Downcall.unchecked(e);
  /// }
  /// ```
  ///
  /// @return an error, if a checked exception was thrown; no downcall throws one
  /// @throws RuntimeException if that was thrown
  /// @throws Error if that was thrown
  public static AssertionError unchecked(Throwable thrown) {
    return switch (thrown) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> new AssertionError("a downcall throws nothing checked", thrown);
    };
  }
}
