package dev.panoptim.internal.step;

import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The plans of a step: one for each group that has parameters in it, or several. Keeps them up to
/// date with the gradients: rebinds plans if gradients moved, and makes new plans if that is not
/// enough.
///
/// Not thread-safe.
public final class GroupPlans {
  private final Engine engine;
  private final PlanMaker maker;
  private final StateMemory memory;

  /// All parameters of the optimizer.
  private final TrackedParameters parameters;

  private final List<GroupPlan> groups;

  /// The number of the optimizer's groups that have plans.
  private int known;

  /// Whether the step is one of all parameters.
  private final boolean isWhole;

  /// The rebinding of all groups' plans. `null` before there are plans, and after a failure in the
  /// middle of a rebinding or of the creation of plans.
  private GradientRebinding rebinding;

  /// The gradients of each group's rows; filled anew whenever some have moved.
  private final List<MemorySegment[]> gradients = new ArrayList<>();

  private long elements;

  private GroupPlans(
      Engine engine,
      PlanMaker maker,
      StateMemory memory,
      TrackedParameters parameters,
      List<GroupPlan> groups,
      boolean isWhole) {
    this.engine = engine;
    this.maker = maker;
    this.memory = memory;
    this.parameters = parameters;
    this.groups = groups;
    this.isWhole = isWhole;
  }

  /// The plans of steps of all parameters.
  ///
  /// @param parameters a live view; see [#addGroups]
  static GroupPlans ofAll(
      Engine engine, PlanMaker maker, StateMemory memory, TrackedParameters parameters) {
    return new GroupPlans(engine, maker, memory, parameters, new ArrayList<>(), true);
  }

  /// The plans of steps of some parameters, as long as no group is added.
  ///
  /// @param parameters all parameters of the optimizer
  /// @param groups the chosen ones
  static GroupPlans ofSome(
      Engine engine,
      PlanMaker maker,
      StateMemory memory,
      TrackedParameters parameters,
      List<GroupPlan> groups) {
    return new GroupPlans(engine, maker, memory, parameters, groups, false);
  }

  /// Adds the plans of each group that has been added to the optimizer.
  void addGroups() {
    List<TrackedGroup> all = parameters.liveGroups();
    for (TrackedGroup each : all.subList(known, all.size())) {
      groups.addAll(plansOf(each, each.parameters));
    }
    known = all.size();
  }

  /// The plans of some parameters of a group: one, or one for each batch of [FactoredWorkspace].
  static List<GroupPlan> plansOf(TrackedGroup group, TrackedParameter[] parameters) {
    if (!group.rule().isFactored()) {
      return List.of(new GroupPlan(parameters, group));
    }
    return FactoredWorkspace.batches(parameters).stream()
        .map(batch -> new GroupPlan(batch, group))
        .toList();
  }

  /// Gives the plans to others, which take over what an engine prepared of them.
  ///
  /// @param others plans that have not been made
  void giveTo(List<GroupPlan> others) {
    for (int i = 0; i < Math.min(groups.size(), others.size()); i++) {
      others.get(i).takeFrom(groups.get(i));
    }
  }

  /// The caller does not change the list.
  List<GroupPlan> groups() {
    return groups;
  }

  /// The elements of all rows of all plans.
  long elements() {
    return elements;
  }

  /// Asks the sources of gradients where these are now; see [Parameter#updateGradient].
  public void findGradients() {
    // By index: an iterator would be garbage at each step.
    for (int i = 0; i < groups.size(); i++) {
      for (TrackedParameter each : groups.get(i).parameters) {
        each.parameter.updateGradient();
      }
    }
  }

  /// Brings the plans up to date. If this throws, nothing has changed.
  void update() {
    if (!gradientsMoved()) {
      return;
    }
    // Other code may have freed gradients since they were set.
    DeviceAccess.get().forgetRanges(engine.device());
    if (!moveGradients()) {
      makePlans();
    }
  }

  /// Sets the gradients of all plans to 0.
  void zeroGradients() {
    for (int i = 0; i < groups.size(); i++) {
      engine.zeroGradients(groups.get(i).plan);
    }
  }

  /// Whether a gradient was added, removed or moved since the last update of the plans.
  boolean gradientsMoved() {
    if (rebinding == null) {
      return true;
    }
    for (int i = 0; i < groups.size(); i++) {
      if (groups.get(i).gradientsMoved()) {
        return true;
      }
    }
    return false;
  }

  /// Rebinds the plans to gradients that have moved.
  ///
  /// @return `false` if that is not enough, and new plans are needed
  private boolean moveGradients() {
    if (rebinding == null) {
      return false;
    }
    gradients.clear();
    for (int i = 0; i < groups.size(); i++) {
      MemorySegment[] now = groups.get(i).gradients();
      if (now == null) {
        return false;
      }
      gradients.add(now);
    }
    GradientRebinding current = rebinding;
    // If an error of the JVM ends this in the middle, new plans are needed.
    rebinding = null;
    if (!current.moveTo(gradients)) {
      return false;
    }
    for (int i = 0; i < groups.size(); i++) {
      groups.get(i).keepGradients();
    }
    rebinding = current;
    return true;
  }

  /// Makes plans of the parameters that have a gradient now. New states are kept only if all checks
  /// pass.
  private void makePlans() {
    List<Runnable> before = new ArrayList<>();
    rebinding = null;
    if (lackStates()) {
      memory.allocate(
          parameters.liveGroups(), this::canHaveStates, () -> makePlansWithStates(before));
    } else {
      makePlansWithStates(before);
    }
    CloseAll.all(before);
  }

  private boolean lackStates() {
    for (GroupPlan group : groups) {
      for (TrackedParameter each : group.parameters) {
        if (each.states == null && each.parameter.hasGradient()) {
          return true;
        }
      }
    }
    return false;
  }

  /// Whether to allocate states for a parameter. A step of some parameters allocates those of all
  /// others that have a gradient too: a single allocation takes less memory than one for each.
  private boolean canHaveStates(TrackedParameter each) {
    if (!each.parameter.hasGradient()) {
      return false;
    }
    MemorySegment data = each.parameter.data();
    return isWhole
        || isChosen(each)
        || data.scope().isAlive() && data.isAccessibleBy(Thread.currentThread());
  }

  private boolean isChosen(TrackedParameter wanted) {
    for (GroupPlan group : groups) {
      for (TrackedParameter each : group.parameters) {
        if (each == wanted) {
          return true;
        }
      }
    }
    return false;
  }

  /// @param before is extended by what the caller must close
  private void makePlansWithStates(List<Runnable> before) {
    DataPlaces places = isWhole ? null : parameters.places();
    List<PlanMaker.Made> made = maker.make(groups);
    List<StepPlan> plans = made.stream().map(PlanMaker.Made::plan).toList();
    if (!isWhole) {
      plans.forEach(plan -> places.requireApart(plan.rows().list()));
    }
    prepare(made);
    GradientRebinding current = new GradientRebinding(plans, stages(made), places);
    long count = 0;
    for (StepPlan each : plans) {
      count += each.rows().elements();
    }
    for (int i = 0; i < made.size(); i++) {
      for (StepPlan old : groups.get(i).adopt(made.get(i))) {
        before.add(old::close);
      }
      if (isWhole) {
        groups.get(i).markRows();
      }
    }
    elements = count;
    // Last: if an error of the JVM ends this before, the plans are not used.
    rebinding = current;
  }

  /// The plans of the second halves of steps.
  private static List<StepPlan> stages(List<PlanMaker.Made> made) {
    return made.stream()
        .filter(each -> each.stage() != null)
        .map(each -> each.stage().update())
        .toList();
  }

  /// All or none.
  private void prepare(List<PlanMaker.Made> made) {
    try {
      for (int i = 0; i < made.size(); i++) {
        List<StepPlan> old = groups.get(i).plans();
        List<StepPlan> plans = made.get(i).plans();
        for (int k = 0; k < plans.size(); k++) {
          engine.prepare(plans.get(k), k < old.size() ? old.get(k) : null);
        }
      }
    } catch (Throwable e) {
      List<Runnable> parts = new ArrayList<>();
      made.forEach(each -> each.plans().forEach(plan -> parts.add(plan::close)));
      CloseAll.after(e, parts);
      throw e;
    }
  }

  /// Closes all plans; the next step makes new ones.
  void drop() {
    List<Runnable> parts = new ArrayList<>();
    groups.forEach(group -> parts.add(group::dropPlan));
    CloseAll.all(parts);
  }
}
