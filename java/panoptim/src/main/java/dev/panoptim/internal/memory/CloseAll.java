package dev.panoptim.internal.memory;

import java.util.List;

/// Closes several resources of which each may fail to close. The first failure is thrown, and the
/// later ones are added to it as suppressed: they are often consequences of the same cause.
///
/// Thread-safe.
public final class CloseAll {
  private CloseAll() {}

  /// Runs all actions, and then throws the exception of the first action that failed.
  public static void all(List<? extends Runnable> parts) {
    Throwable failure = null;
    for (Runnable each : parts) {
      failure = run(failure, each);
    }
    rethrow(failure);
  }

  /// Runs all actions after a failure, which the caller then throws.
  public static void after(Throwable failure, List<? extends Runnable> parts) {
    for (Runnable each : parts) {
      run(failure, each);
    }
  }

  /// Runs an action. This method throws nothing, also if the action throws an [Error].
  ///
  /// @param failure the exception of an earlier action; `null` if none has failed
  /// @return the first failure of all actions; `null` if none has failed
  static Throwable run(Throwable failure, Runnable action) {
    try {
      action.run();
    } catch (RuntimeException | Error e) {
      if (failure == null) {
        return e;
      }
      if (e != failure) {
        failure.addSuppressed(e);
      }
    }
    return failure;
  }

  /// Throws the result of [#run], unless it is `null`.
  static void rethrow(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure != null) {
      throw (RuntimeException) failure;
    }
  }
}
