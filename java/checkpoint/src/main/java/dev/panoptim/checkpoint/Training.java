package dev.panoptim.checkpoint;

import dev.panoptim.optim.Optimizer;
import dev.panoptim.schedule.Scheduler;
import java.util.Objects;
import java.util.Optional;

/// The live objects whose state a checkpoint holds: what is saved from, and loaded into.
///
/// Immutable. Without a scheduler, any thread may save it, in turn with the steps; with one, the
/// thread that steps, between two steps. While it is loaded, nothing may step.
public final class Training {
  private final Optimizer optimizer;
  private final Scheduler scheduler;
  private final boolean parameters;
  private final boolean ignoresScheduler;

  private Training(
      Optimizer optimizer, Scheduler scheduler, boolean parameters, boolean ignoresScheduler) {
    this.ignoresScheduler = ignoresScheduler;
    this.optimizer = optimizer;
    this.scheduler = scheduler;
    this.parameters = parameters;
  }

  /// An optimizer with its parameters' data, and no scheduler.
  public static Training of(Optimizer optimizer) {
    return new Training(Objects.requireNonNull(optimizer, "optimizer is null"), null, true, false);
  }

  /// The same with a scheduler of that optimizer.
  public Training withScheduler(Scheduler value) {
    return new Training(
        optimizer, Objects.requireNonNull(value, "scheduler is null"), parameters, false);
  }

  /// The same without the parameters' data, for those who keep the model elsewhere.
  public Training withoutParameters() {
    return new Training(optimizer, scheduler, false, ignoresScheduler);
  }

  /// The same without a scheduler: that of a checkpoint is not loaded, so that a training may go on
  /// with another schedule. The hyperparameters are those of the checkpoint.
  public Training withoutScheduler() {
    return new Training(optimizer, null, parameters, true);
  }

  public Optimizer optimizer() {
    return optimizer;
  }

  public Optional<Scheduler> scheduler() {
    return Optional.ofNullable(scheduler);
  }

  /// Whether a scheduler that a checkpoint has is passed over.
  boolean ignoresScheduler() {
    return ignoresScheduler;
  }

  /// Whether the parameters' data are saved and loaded.
  public boolean hasParameters() {
    return parameters;
  }
}
