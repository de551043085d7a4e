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
/// What the groups have when the scheduler is built are the initial values; it sets those of step 0
/// at once, as PyTorch does, so that a warm-up starts low. A group that is added to the optimizer
/// later is not driven.
///
/// To continue training, build optimizer and scheduler as they were built at first, then load the
/// optimizer's state dict, then the scheduler's state.
///
/// Not thread-safe: for the thread that steps the optimizer, between two steps. A training that has
/// a scheduler is saved there too, as a scheduler takes no turns with other threads.
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

  /// Starts with nothing driven.
  public static Builder builder(Optimizer optimizer) {
    return new Builder(optimizer);
  }

  /// Sets the hyperparameters for the next step of the optimizer; belongs after each of its steps.
  /// A [ReduceOnPlateau] sees nothing of it. Allocates nothing, as far as schedules of the user's
  /// do not.
  ///
  /// @throws IllegalArgumentException if a schedule gives a value that is out of the
  ///   hyperparameter's range; what a user's function throws passes through. Nothing has changed
  ///   then
  public void step() {
    moveTo(Math.addExact(position, 1), false, 0);
  }

  /// [#step()], at which every [ReduceOnPlateau] sees a metric.
  ///
  /// @param metric such as a validation loss; NaN is no better than any other
  /// @throws IllegalArgumentException as [#step()]
  public void step(double metric) {
    moveTo(Math.addExact(position, 1), true, metric);
  }

  /// The optimizer whose hyperparameters are driven.
  public Optimizer optimizer() {
    return optimizer;
  }

  /// How many steps have been made.
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

  /// Sets what has been prepared: all of it or, if something is out of range, nothing.
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
      // Backwards, so that hyperparameters that must fit together do so on the way.
      while (done-- > 0) {
        targets[done].group.set(targets[done].hyperparameter, targets[done].before);
      }
      throw new IllegalArgumentException(
          "at step " + next + " of " + description + ": " + e.getMessage(), e);
    }
  }

  /// A copy of all that is needed to continue.
  ///
  /// @throws IllegalStateException if a schedule is described by nothing but its identity, as a
  ///   lambda is: no other process would know it again
  public SchedulerState state() {
    for (Drive each : drives) {
      if (each.schedule != null
          && (each.description.contains("$$Lambda")
              || each.description.equals(Objects.toIdentityString(each.schedule)))) {
        throw new IllegalStateException(
            "the schedule of %s has no description of its own: give it a toString, or use"
                    .formatted(each.hyperparameter)
                + " Schedules.lambda, which takes a name");
      }
    }
    return new SchedulerState(position, recurrent, drives.stream().map(Drive::state).toList());
  }

  /// What keeps a state from being loaded; nothing if it fits. Parameters may be grouped otherwise
  /// than where it comes from, as long as those of one group agree.
  ///
  /// @param renaming from names of parameters in the state to names here; what it does not mention
  ///   keeps its name
  public List<String> differences(SchedulerState state, Map<String, String> renaming) {
    return List.copyOf(new SchedulerFit(state, renaming, recurrent, drives).differences);
  }

  /// Continues from where another scheduler was, of parameters with the same names.
  ///
  /// @throws IllegalArgumentException as [#load(SchedulerState, Map)]
  public void load(SchedulerState state) {
    load(state, Map.of());
  }

  /// Continues from where another scheduler was. Hyperparameters that come by [Schedule#at] are set
  /// at once. Those that come by [Schedule#next] or a [ReduceOnPlateau] depend on their value
  /// before, and stay as they are: the optimizer's state dict brings them back.
  ///
  /// @param renaming as in [#differences]
  /// @throws IllegalArgumentException if the state does not fit; the message lists all
  ///   [#differences], and nothing has changed. Likewise if a value is out of range
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

  /// What is to be driven, by what.
  ///
  /// Not thread-safe.
  public static final class Builder {
    private final Optimizer optimizer;
    private final List<ParameterGroup> groups;
    private final List<Wish> wishes = new ArrayList<>();
    private boolean recurrent;

    /// A drive before the initial values are taken.
    private record Wish(
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

    /// Drives a hyperparameter of all groups that the optimizer has now.
    ///
    /// @throws IllegalArgumentException if the optimizer has no such hyperparameter, or it is
    ///   already driven in one of the groups
    public Builder drive(Hyperparameter hyperparameter, Schedule schedule) {
      Objects.requireNonNull(schedule, "schedule is null");
      return add(groups, hyperparameter, schedule, null);
    }

    /// Drives a hyperparameter of one group.
    ///
    /// @param group one of the optimizer's
    /// @throws IllegalArgumentException if the group is not the optimizer's, it has no such
    ///   hyperparameter, or this is already driven in it
    public Builder drive(ParameterGroup group, Hyperparameter hyperparameter, Schedule schedule) {
      Objects.requireNonNull(schedule, "schedule is null");
      return add(List.of(group), hyperparameter, schedule, null);
    }

    /// Drives a hyperparameter of all groups that the optimizer has now, with one count of metrics
    /// for all.
    ///
    /// @throws IllegalArgumentException as [#drive(Hyperparameter, Schedule)]
    public Builder drive(Hyperparameter hyperparameter, ReduceOnPlateau plateau) {
      Objects.requireNonNull(plateau, "plateau is null");
      return add(groups, hyperparameter, null, plateau);
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
        for (Wish wish : wishes) {
          if (wish.hyperparameter == hyperparameter && wish.groups.contains(each)) {
            throw new IllegalArgumentException(
                hyperparameter + " of " + each + " is driven already, but can be so by one alone");
          }
        }
      }
      wishes.add(new Wish(hyperparameter, added, schedule, plateau));
      return this;
    }

    /// Whether values come by [Schedule#next] from the present ones, as with PyTorch's `step()`,
    /// and go on from what else has changed them; otherwise, and unless told, by [Schedule#at],
    /// which depends on nothing but the step.
    public Builder recurrent(boolean value) {
      recurrent = value;
      return this;
    }

    /// Sets the values of step 0.
    ///
    /// @throws IllegalArgumentException if a value is out of its hyperparameter's range; nothing
    ///   has changed then
    /// @throws IllegalStateException if nothing is driven
    public Scheduler build() {
      if (wishes.isEmpty()) {
        throw new IllegalStateException("the scheduler drives nothing");
      }
      return new Scheduler(optimizer, wishes.stream().map(Wish::drive).toList(), recurrent);
    }
  }
}
