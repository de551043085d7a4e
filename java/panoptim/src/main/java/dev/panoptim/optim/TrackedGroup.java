package dev.panoptim.optim;

import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// A group with what the plan's rows refer to.
final class TrackedGroup {
  final ParameterGroup group;
  final TrackedParameter[] parameters;

  /// The tracked parameters that have a row in the plan, in the order of the rows.
  TrackedParameter[] rows;

  /// Room for the gradients of these rows.
  private MemorySegment[] gradients;

  StepPlan plan;

  /// Whether it is not known yet if the last step that was prepared was made.
  boolean unsettled;

  TrackedGroup(ParameterGroup group) {
    this.group = group;
    parameters =
        group.parameters().stream().map(TrackedParameter::new).toArray(TrackedParameter[]::new);
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

  void dropPlan() {
    if (plan != null) {
      plan.close();
      plan = null;
    }
  }

  /// @return the plan before, which is to be closed; `null` where there was none
  StepPlan adopt(StepPlan plan) {
    TrackedParameter[] withGradient = withGradient();
    gradients = new MemorySegment[withGradient.length];
    rows = withGradient;
    StepPlan before = this.plan;
    this.plan = plan;
    keepGradients();
    return before;
  }

  /// Remembers where gradients lie that the plan knows of.
  void keepGradients() {
    for (TrackedParameter each : parameters) {
      each.plannedGradient = each.parameter.gradientOrNull();
    }
  }

  /// Whether there is a plan, and the parameters that have a gradient are those that have a row.
  boolean hasItsRows() {
    if (plan == null) {
      return false;
    }
    for (TrackedParameter each : parameters) {
      if (each.parameter.hasGradient() != (each.plannedGradient != null)) {
        return false;
      }
    }
    return true;
  }

  /// The rows' gradients as they are now.
  MemorySegment[] gradients() {
    for (int i = 0; i < rows.length; i++) {
      gradients[i] = rows[i].parameter.gradientOrNull();
    }
    return gradients;
  }
}
