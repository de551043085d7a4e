package dev.panoptim.bench;

/// A call of native code through a method handle.
///
/// @param <T> type of the result
@FunctionalInterface
interface Downcall<T> {
  /// Calls a method handle, which is declared to throw anything.
  T call() throws Throwable;

  /// Runs a downcall.
  ///
  /// @throws AssertionError if it throws a checked exception, which native code cannot
  static <T> T run(Downcall<T> downcall) {
    try {
      return downcall.call();
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall has thrown a checked exception", e);
    }
  }
}
