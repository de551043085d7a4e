package dev.panoptim.internal.step;

import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// A group's part of a step: its parameters and the plan of those that have a gradient.
///
/// Not thread-safe.
final class GroupPlan {
  final TrackedParameter[] parameters;
  private final Hyperparameters values;
  private final Rule rule;

  /// For each parameter, the gradient that the plan knows of; `null` if there was none when the
  /// plan was made.
  private final MemorySegment[] planned;

  /// The parameters that have a row in the plan, in the order of the rows.
  TrackedParameter[] rows;

  /// Room for the gradients of these rows.
  private MemorySegment[] gradients;

  /// Has the gradients.
  StepPlan plan;

  /// The second half of the step; `null` for rules of one elementwise step, and if there is no
  /// plan.
  Stage stage;

  /// Whether only a GPU knows yet if the last step that was prepared was made.
  boolean unsettled;

  /// @param parameters of the group: all, or some
  GroupPlan(TrackedParameter[] parameters, TrackedGroup group) {
    this.parameters = parameters;
    values = group.values();
    rule = group.rule();
    planned = new MemorySegment[parameters.length];
  }

  /// The group's hyperparameters, which may change between steps.
  Hyperparameters values() {
    return values;
  }

  /// The group's composition.
  Rule rule() {
    return rule;
  }

  TrackedParameter[] withGradient() {
    return Arrays.stream(parameters)
        .filter(each -> each.parameter.hasGradient())
        .toArray(TrackedParameter[]::new);
  }

  /// Counts the step that was prepared.
  void advance() {
    for (TrackedParameter row : rows) {
      row.advance();
    }
  }

  /// Takes the plan of other rows, whose prepared memory the first plan of these rows takes over.
  /// Without effect if this has such a plan.
  void takeFrom(GroupPlan other) {
    if (plan == null) {
      plan = other.plan;
      stage = other.stage;
      other.plan = null;
      other.stage = null;
    }
  }

  /// Closes the plan; the next step makes a new one.
  void dropPlan() {
    List<StepPlan> dropped = plans();
    plan = null;
    stage = null;
    CloseAll.all(dropped.stream().<Runnable>map(each -> each::close).toList());
  }

  /// The plan and the plans of the stage, if there are any.
  List<StepPlan> plans() {
    if (plan == null) {
      return List.of();
    }
    return PlanMaker.plans(plan, stage);
  }

  /// The plan whose step writes the parameters.
  StepPlan writer() {
    return stage == null ? plan : stage.update();
  }

  /// @return the plans before, which the caller closes
  List<StepPlan> adopt(PlanMaker.Made made) {
    TrackedParameter[] withGradient = withGradient();
    gradients = new MemorySegment[withGradient.length];
    rows = withGradient;
    List<StepPlan> before = plans();
    plan = made.plan();
    stage = made.stage();
    for (int i = 0; i < parameters.length; i++) {
      planned[i] = parameters[i].parameter.gradientOrNull();
    }
    return before;
  }

  /// Tells the parameters whether they have a row.
  void markRows() {
    for (int i = 0; i < parameters.length; i++) {
      parameters[i].hasRow = planned[i] != null;
    }
  }

  /// Whether there is no plan, or a gradient is in another place than the plan knows of. Another
  /// segment of the same memory is no other place: frameworks hand out a new one at each step.
  boolean gradientsMoved() {
    if (plan == null) {
      return true;
    }
    for (int i = 0; i < parameters.length; i++) {
      MemorySegment now = parameters[i].parameter.gradientOrNull();
      if (now != planned[i] && !isSamePlace(now, planned[i])) {
        return true;
      }
    }
    return false;
  }

  private static boolean isSamePlace(MemorySegment now, MemorySegment before) {
    return now != null
        && before != null
        && now.address() == before.address()
        && now.isReadOnly() == before.isReadOnly()
        && now.scope().equals(before.scope());
  }

  /// The rows' gradients as they are now; `null` if there is no plan, or if the parameters that
  /// have a gradient are not those that have a row. The caller does not change the array.
  MemorySegment[] gradients() {
    if (plan == null) {
      return null;
    }
    int row = 0;
    for (int i = 0; i < parameters.length; i++) {
      MemorySegment now = parameters[i].parameter.gradientOrNull();
      if ((now != null) != (planned[i] != null)) {
        return null;
      }
      if (now != null) {
        gradients[row++] = now;
      }
    }
    return gradients;
  }

  /// The plan has adopted what [#gradients] returned last.
  void keepGradients() {
    int row = 0;
    for (int i = 0; i < planned.length; i++) {
      if (planned[i] != null) {
        planned[i] = gradients[row++];
      }
    }
  }
}
