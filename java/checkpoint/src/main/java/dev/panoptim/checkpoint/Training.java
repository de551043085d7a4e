package dev.panoptim.checkpoint;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.schedule.Scheduler;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// The live objects whose state a checkpoint holds: what is saved from, and loaded into.
///
/// Immutable. Without a scheduler, any thread may save it, in turn with the steps; with one, the
/// thread that steps, after the scheduler's step. While it is loaded, nothing may step.
public final class Training {
  /// That a message lists of an optimizer's parameters.
  private static final int MOST_NAMES = 8;

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
  ///
  /// @throws IllegalArgumentException if a checkpoint cannot hold the parameters' names: one has
  ///   half of a surrogate pair, or all of them together are longer than the 100,000,000 bytes of a
  ///   file's header
  public static Training of(Optimizer optimizer) {
    Savable.requireNames(Objects.requireNonNull(optimizer, "optimizer is null"));
    return new Training(optimizer, null, true, false);
  }

  /// The same with a scheduler of that optimizer.
  ///
  /// @throws IllegalArgumentException if the scheduler drives another optimizer
  public Training withScheduler(Scheduler value) {
    Objects.requireNonNull(value, "scheduler is null");
    if (value.optimizer() != optimizer) {
      throw new IllegalArgumentException(
          "the scheduler drives another optimizer, %s, than that of the training, %s"
              .formatted(described(value.optimizer()), described(optimizer)));
    }
    return new Training(optimizer, value, parameters, false);
  }

  private static String described(Optimizer optimizer) {
    List<String> names =
        optimizer.paramGroups().stream()
            .flatMap(group -> group.parameters().stream())
            .map(Parameter::name)
            .limit(MOST_NAMES + 1)
            .toList();
    return optimizer
        + " of "
        + (names.size() > MOST_NAMES ? names.subList(0, MOST_NAMES) + " and more" : names);
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
