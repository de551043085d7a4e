package dev.panoptim.schedule;

import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.ParameterGroup;
import dev.panoptim.rule.Hyperparameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Drives hyperparameters of an optimizer's groups by schedules:
///
/// ```java
/// Schedule schedule = Schedules.warmupThen(500, Schedules.cosineAnnealing(9_500, 0));
/// Scheduler scheduler =
///     Scheduler.builder(optimizer).drive(Hyperparameter.LEARNING_RATE, schedule).build();
/// for (int i = 0; i < 10_000; i++) {
///   computeGradients(parameters);
///   optimizer.step();
///   scheduler.step();
/// }
/// ```
///
/// The groups' values at [Builder#build] are the initial values. The builder sets the values of
/// step 0 at once, as PyTorch does, so that a warm-up starts low. A group that is added to the
/// optimizer later is not driven.
///
/// To continue a training, build the optimizer and the scheduler as before. Then load the
/// optimizer's state dict, and after that the scheduler's state.
///
/// Not thread-safe. Call it on the thread that steps the optimizer, between two steps. Checkpoints
/// of a training with a scheduler must be saved there too, because a scheduler does not synchronize
/// with other threads.
public final class Scheduler {
  private final Optimizer optimizer;
  private final List<Drive> drives;
  private final Drive.Target[] targets;
  private final boolean recurrent;
  private long position;

  private Scheduler(Optimizer optimizer, List<Drive> drives, boolean recurrent) {
    this.optimizer = optimizer;
    this.drives = List.copyOf(drives);
    this.recurrent = recurrent;
    targets =
        drives.stream()
            .flatMap(each -> List.of(each.targets).stream())
            .toArray(Drive.Target[]::new);
    moveTo(0, false, 0);
  }

  /// Creates a builder that drives nothing yet.
  public static Builder builder(Optimizer optimizer) {
    return new Builder(optimizer);
  }

  /// Sets the hyperparameters for the optimizer's next step. Call it after each step of the
  /// optimizer. A [ReduceOnPlateau] ignores this call. Allocates nothing, unless a custom schedule
  /// does.
  ///
  /// @throws IllegalArgumentException if a schedule gives a value outside the hyperparameter's
  ///   range. Then nothing has changed; the same holds for exceptions of user functions, which are
  ///   passed on
  public void step() {
    moveTo(Math.addExact(position, 1), false, 0);
  }

  /// Like [#step()], and passes a metric to every [ReduceOnPlateau].
  ///
  /// @param metric for example a validation loss; NaN never counts as an improvement
  /// @throws IllegalArgumentException as [#step()]
  public void step(double metric) {
    moveTo(Math.addExact(position, 1), true, metric);
  }

  /// The optimizer whose hyperparameters are driven.
  public Optimizer optimizer() {
    return optimizer;
  }

  /// The number of steps that have been made.
  public long position() {
    return position;
  }

  private void moveTo(long next, boolean measured, double metric) {
    int observed = 0;
    try {
      for (; observed < drives.size(); observed++) {
        Drive each = drives.get(observed);
        boolean reduce = measured && each.plateau != null && each.plateau.observe(metric);
        each.prepare(next, recurrent, reduce);
      }
      apply(next);
    } catch (Throwable e) {
      for (int i = 0; measured && i < drives.size() && i <= observed; i++) {
        if (drives.get(i).plateau != null) {
          drives.get(i).plateau.forget();
        }
      }
      throw e;
    }
    position = next;
  }

  /// Sets the prepared values. If one is out of range, none is set.
  private void apply(long next) {
    int done = 0;
    try {
      for (; done < targets.length; done++) {
        Drive.Target each = targets[done];
        each.before = each.group.get(each.hyperparameter);
        each.group.set(each.hyperparameter, each.value);
      }
    } catch (IllegalArgumentException e) {
      String description = targets[done].description;
      // The order is reversed, so that hyperparameters with common constraints stay valid on the
      // way.
      while (done-- > 0) {
        targets[done].group.set(targets[done].hyperparameter, targets[done].before);
      }
      throw new IllegalArgumentException(
          "at step " + next + " of " + description + ": " + e.getMessage(), e);
    }
  }

  /// Copies everything that is needed to continue.
  ///
  /// @throws IllegalStateException if a schedule does not override `toString`, like a lambda;
  ///   another process could not recognize such a schedule
  public SchedulerState state() {
    for (Drive each : drives) {
      if (each.schedule != null
          && (each.description.contains("$$Lambda")
              || each.description.equals(Objects.toIdentityString(each.schedule)))) {
        throw new IllegalStateException(
            "the schedule of %s has no description: override its toString, or use"
                    .formatted(each.hyperparameter)
                + " Schedules.lambda, which takes a name");
      }
    }
    return new SchedulerState(position, recurrent, drives.stream().map(Drive::state).toList());
  }

  /// Lists every reason why [#load(SchedulerState, Map)] would reject a state; empty if the state
  /// fits. The grouping of the parameters may differ from the saved one, as long as the saved
  /// values within each group agree.
  ///
  /// @param renaming maps parameter names in the state to names here; other names stay the same
  public List<String> differences(SchedulerState state, Map<String, String> renaming) {
    return List.copyOf(new SchedulerFit(state, renaming, recurrent, drives).differences);
  }

  /// Loads a state without renaming parameters; see [#load(SchedulerState, Map)].
  ///
  /// @throws IllegalArgumentException as [#load(SchedulerState, Map)]
  public void load(SchedulerState state) {
    load(state, Map.of());
  }

  /// Continues from the state of another scheduler. Hyperparameters that are computed by
  /// [Schedule#at] are set at once. Hyperparameters that are computed by [Schedule#next] or a
  /// [ReduceOnPlateau] depend on their previous value and stay unchanged; the optimizer's state
  /// dict restores them.
  ///
  /// @param renaming as in [#differences]
  /// @throws IllegalArgumentException if the state does not fit, with all [#differences] in the
  ///   message, or if a value is out of range; nothing has changed
  public void load(SchedulerState state, Map<String, String> renaming) {
    SchedulerFit fit = new SchedulerFit(state, renaming, recurrent, drives);
    if (!fit.differences.isEmpty()) {
      throw new IllegalArgumentException(
          "the scheduler's state does not fit: " + String.join("; ", fit.differences));
    }
    for (Drive drive : drives) {
      for (Drive.Target each : drive.targets) {
        each.value =
            drive.plateau == null && !recurrent
                ? drive.schedule.at(state.position(), fit.initial(each))
                : each.group.get(each.hyperparameter);
      }
    }
    apply(state.position());
    position = state.position();
    for (Drive drive : drives) {
      for (Drive.Target each : drive.targets) {
        each.initial = fit.initial(each);
      }
      if (drive.plateau != null) {
        drive.plateau.load(fit.of(drive).doubles(), fit.of(drive).longs());
      }
    }
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("Scheduler[position ").append(position);
    for (Drive each : drives) {
      text.append(", ").append(each.hyperparameter).append(" by ").append(each.description);
    }
    return text.append(']').toString();
  }

  /// Collects the hyperparameters to drive and their schedules.
  ///
  /// Not thread-safe.
  public static final class Builder {
    private final Optimizer optimizer;
    private final List<ParameterGroup> groups;
    private final List<Request> requests = new ArrayList<>();
    private boolean recurrent;

    /// A drive whose initial values have not been read yet.
    private record Request(
        Hyperparameter hyperparameter,
        List<ParameterGroup> groups,
        Schedule schedule,
        ReduceOnPlateau plateau) {
      Drive drive() {
        return new Drive(hyperparameter, groups, schedule, plateau);
      }
    }

    private Builder(Optimizer optimizer) {
      this.optimizer = optimizer;
      groups = optimizer.paramGroups();
    }

    /// Drives a hyperparameter of all present groups of the optimizer whose rules have it.
    ///
    /// @throws IllegalArgumentException if no group has the hyperparameter, or it is already driven
    ///   in one of the groups
    public Builder drive(Hyperparameter hyperparameter, Schedule schedule) {
      Objects.requireNonNull(schedule, "schedule is null");
      return add(groupsWith(hyperparameter), hyperparameter, schedule, null);
    }

    private List<ParameterGroup> groupsWith(Hyperparameter hyperparameter) {
      List<ParameterGroup> found =
          groups.stream().filter(each -> each.hyperparameters().contains(hyperparameter)).toList();
      if (found.isEmpty()) {
        throw new IllegalArgumentException(
            "%s is not a hyperparameter of any group of this optimizer: %s"
                .formatted(hyperparameter, groups));
      }
      return found;
    }

    /// Drives a hyperparameter of one group.
    ///
    /// @param group a group of the optimizer
    /// @throws IllegalArgumentException if the group does not belong to the optimizer, does not
    ///   have the hyperparameter, or its hyperparameter is already driven
    public Builder drive(ParameterGroup group, Hyperparameter hyperparameter, Schedule schedule) {
      Objects.requireNonNull(schedule, "schedule is null");
      return add(List.of(group), hyperparameter, schedule, null);
    }

    /// Drives a hyperparameter of all present groups of the optimizer whose rules have it by one
    /// plateau, which counts the metrics once for all groups.
    ///
    /// @throws IllegalArgumentException as [#drive(Hyperparameter, Schedule)]
    public Builder drive(Hyperparameter hyperparameter, ReduceOnPlateau plateau) {
      Objects.requireNonNull(plateau, "plateau is null");
      return add(groupsWith(hyperparameter), hyperparameter, null, plateau);
    }

    /// Drives a hyperparameter of one group.
    ///
    /// @throws IllegalArgumentException as [#drive(ParameterGroup, Hyperparameter, Schedule)]
    public Builder drive(
        ParameterGroup group, Hyperparameter hyperparameter, ReduceOnPlateau plateau) {
      Objects.requireNonNull(plateau, "plateau is null");
      return add(List.of(group), hyperparameter, null, plateau);
    }

    private Builder add(
        List<ParameterGroup> added,
        Hyperparameter hyperparameter,
        Schedule schedule,
        ReduceOnPlateau plateau) {
      for (ParameterGroup each : added) {
        if (!groups.contains(each)) {
          throw new IllegalArgumentException(each + " is not a group of this optimizer");
        }
        each.get(hyperparameter);
        for (Request request : requests) {
          if (request.hyperparameter == hyperparameter && request.groups.contains(each)) {
            throw new IllegalArgumentException(
                hyperparameter
                    + " of "
                    + each
                    + " is already driven, but only one schedule may drive it");
          }
        }
      }
      requests.add(new Request(hyperparameter, added, schedule, plateau));
      return this;
    }

    /// Sets whether values are computed by [Schedule#next] from the present values, as in PyTorch's
    /// `step()`. Such values take changes by the user into account. The default is `false`: values
    /// are computed by [Schedule#at] from the step alone.
    public Builder recurrent(boolean value) {
      recurrent = value;
      return this;
    }

    /// Builds the scheduler and sets the values of step 0.
    ///
    /// @throws IllegalArgumentException if a value is out of its hyperparameter's range; nothing
    ///   has changed
    /// @throws IllegalStateException if no hyperparameter is driven
    public Scheduler build() {
      if (requests.isEmpty()) {
        throw new IllegalStateException("the scheduler drives nothing");
      }
      return new Scheduler(optimizer, requests.stream().map(Request::drive).toList(), recurrent);
    }
  }
}
