package dev.panoptim.internal.memory;

import java.util.List;

/// Closes several resources of which each may fail to close.
///
/// Thread-safe.
public final class CloseAll {
  private CloseAll() {}

  /// Runs all of them, and then throws what the first one that failed has thrown.
  public static void all(List<Runnable> parts) {
    RuntimeException failure = null;
    for (Runnable each : parts) {
      try {
        each.run();
      } catch (RuntimeException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /// Runs all of them after a failure, which the caller then throws. What they throw is suppressed:
  /// it is often another consequence of the same cause.
  public static void after(Throwable failure, List<Runnable> parts) {
    for (Runnable each : parts) {
      try {
        each.run();
      } catch (RuntimeException e) {
        if (e != failure) {
          failure.addSuppressed(e);
        }
      }
    }
  }
}
