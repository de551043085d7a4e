package dev.panoptim.checkpoint;

import dev.panoptim.optim.Optimizer;
import dev.panoptim.schedule.Scheduler;
import java.util.Objects;
import java.util.Optional;

/// The live objects whose state a checkpoint holds: what is saved from, and loaded into.
///
/// Immutable; not thread-safe, as its optimizer is not: nothing may step while it is saved or
/// loaded.
public final class Training {
  private final Optimizer optimizer;
  private final Scheduler scheduler;
  private final boolean parameters;

  private Training(Optimizer optimizer, Scheduler scheduler, boolean parameters) {
    this.optimizer = optimizer;
    this.scheduler = scheduler;
    this.parameters = parameters;
  }

  /// An optimizer with its parameters' data, and no scheduler.
  public static Training of(Optimizer optimizer) {
    return new Training(Objects.requireNonNull(optimizer, "optimizer is null"), null, true);
  }

  /// The same with a scheduler of that optimizer.
  public Training withScheduler(Scheduler value) {
    return new Training(optimizer, Objects.requireNonNull(value, "scheduler is null"), parameters);
  }

  /// The same without the parameters' data, for those who keep the model elsewhere.
  public Training withoutParameters() {
    return new Training(optimizer, scheduler, false);
  }

  public Optimizer optimizer() {
    return optimizer;
  }

  public Optional<Scheduler> scheduler() {
    return Optional.ofNullable(scheduler);
  }

  /// Whether the parameters' data are saved and loaded.
  public boolean hasParameters() {
    return parameters;
  }
}
