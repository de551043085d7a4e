package dev.panoptim.internal.step;

import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.memory.CloseAll;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The plans of all groups of a step. Keeps them up to date with the gradients: rebinds plans if
/// gradients moved, and makes new plans if that is not enough.
///
/// Not thread-safe.
final class GroupPlans {
  private final Engine engine;
  private final StateMemory memory;

  /// All groups of the optimizer; a live list.
  private final List<TrackedGroup> all;

  private final List<GroupPlan> groups = new ArrayList<>();

  /// The rebinding of all groups' plans. `null` before there are plans, and after a failure in the
  /// middle of a rebinding or of the creation of plans.
  private GradientRebinding rebinding;

  /// The gradients of each group's rows; filled anew whenever some have moved.
  private final List<MemorySegment[]> gradients = new ArrayList<>();

  private long elements;

  /// @param all the groups of the optimizer; a live list
  GroupPlans(Engine engine, StateMemory memory, List<TrackedGroup> all) {
    this.engine = engine;
    this.memory = memory;
    this.all = all;
  }

  /// Adds a plan for each group that has been added to the optimizer.
  void addGroups() {
    for (TrackedGroup each : all.subList(groups.size(), all.size())) {
      groups.add(new GroupPlan(each.parameters, each.values()));
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
    memory.allocate(
        all,
        each -> each.parameter.hasGradient(),
        () -> {
          List<StepPlan> plans = memory.plans(groups);
          prepare(plans);
          GradientRebinding current = new GradientRebinding(plans);
          long count = 0;
          for (StepPlan each : plans) {
            count += each.rows().elements();
          }
          for (int i = 0; i < plans.size(); i++) {
            StepPlan old = groups.get(i).adopt(plans.get(i));
            if (old != null) {
              before.add(old::close);
            }
            groups.get(i).markRows();
          }
          elements = count;
          // Last: if an error of the JVM ends this before, the plans are not used.
          rebinding = current;
        });
    CloseAll.all(before);
  }

  /// All or none.
  private void prepare(List<StepPlan> plans) {
    try {
      for (int i = 0; i < plans.size(); i++) {
        engine.prepare(plans.get(i), groups.get(i).plan);
      }
    } catch (Throwable e) {
      List<Runnable> parts = new ArrayList<>();
      plans.forEach(plan -> parts.add(plan::close));
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
