package dev.panoptim.backend;

/// Something that carries out a step. All of them reach the same bits; they differ in speed and in
/// what they need.
///
/// [Backends] hands them out. Thread-safe: one backend serves any number of optimizers at the same
/// time.
public abstract sealed class Backend permits NativeBackend, VectorBackend, ScalarBackend {
  Backend() {}

  /// `native`, `vector` or `scalar`.
  public abstract String name();

  /// What this backend runs on, in words.
  public abstract String describe();

  /// Updates all rows of a plan.
  ///
  /// @param threads at most so many, the calling one among them; small plans take fewer
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws WrongThreadException if memory of the plan is confined to another thread
  public final void step(StepPlan plan, int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads is " + threads + ", but must be 1 or more");
    }
    plan.requireAlive();
    run(plan, threads);
  }

  abstract void run(StepPlan plan, int threads);

  @Override
  public String toString() {
    return name();
  }
}
