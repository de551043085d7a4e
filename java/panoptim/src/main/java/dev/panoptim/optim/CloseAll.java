package dev.panoptim.optim;

import java.util.List;

/// Closes several things of which each may fail.
final class CloseAll {
  private CloseAll() {}

  /// Runs all of them, and then throws what the first that failed has thrown.
  static void all(List<Runnable> parts) {
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
}
