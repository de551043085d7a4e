package dev.panoptim.checkpoint;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.schedule.Scheduler;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// The live objects whose state is saved to a checkpoint or loaded from one: an optimizer, its
/// parameters and a scheduler.
///
/// Immutable. A training without a scheduler may be saved by any thread; the save waits for the
/// running step and the next step waits for the save. A training with a scheduler may be saved only
/// by the stepping thread, after the scheduler's step. During a load, no step may run.
public final class Training {
  /// The number of parameter names that an error message lists at most.
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

  /// A training of an optimizer with its parameters' data and without a scheduler.
  ///
  /// @throws IllegalArgumentException if a checkpoint cannot hold the parameters' names: a name has
  ///   an unpaired surrogate, or all names together exceed the 100,000,000 bytes of a file's header
  public static Training of(Optimizer optimizer) {
    Savable.requireNames(Objects.requireNonNull(optimizer, "optimizer is null"));
    return new Training(optimizer, null, true, false);
  }

  /// Returns the same training with a scheduler.
  ///
  /// @throws IllegalArgumentException if the scheduler drives another optimizer
  public Training withScheduler(Scheduler value) {
    Objects.requireNonNull(value, "scheduler is null");
    if (value.optimizer() != optimizer) {
      throw new IllegalArgumentException(
          "the scheduler drives the optimizer %s, but the training is of the optimizer %s"
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

  /// Returns the same training without the parameters' data, for models that are stored elsewhere.
  public Training withoutParameters() {
    return new Training(optimizer, scheduler, false, ignoresScheduler);
  }

  /// Returns the same training without a scheduler. When a checkpoint is loaded into it, the saved
  /// scheduler is ignored, so that the training can continue with another schedule. The
  /// hyperparameters are still loaded from the checkpoint.
  public Training withoutScheduler() {
    return new Training(optimizer, null, parameters, true);
  }

  /// The optimizer whose state is saved or loaded.
  public Optimizer optimizer() {
    return optimizer;
  }

  /// The scheduler, or empty if the training has none.
  public Optional<Scheduler> scheduler() {
    return Optional.ofNullable(scheduler);
  }

  /// Whether the saved scheduler of a checkpoint is ignored.
  boolean ignoresScheduler() {
    return ignoresScheduler;
  }

  /// Whether the parameters' data are saved and loaded.
  public boolean hasParameters() {
    return parameters;
  }
}
