package dev.panoptim.internal.step;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameters;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// A parameter group of an optimizer with its plan.
///
/// Not thread-safe.
public final class TrackedGroup {
  final TrackedParameter[] parameters;
  private final Hyperparameters values;

  /// The tracked parameters that have a row in the plan, in the order of the rows.
  TrackedParameter[] rows;

  /// Room for the gradients of these rows.
  private MemorySegment[] gradients;

  StepPlan plan;

  /// Whether only a GPU knows yet if the last step that was prepared was made.
  boolean unsettled;

  /// @param values the group's hyperparameters, which may change between steps
  public TrackedGroup(List<Parameter> parameters, Hyperparameters values) {
    this.parameters =
        parameters.stream().map(TrackedParameter::new).toArray(TrackedParameter[]::new);
    this.values = values;
  }

  public List<TrackedParameter> parameters() {
    return List.of(parameters);
  }

  public Hyperparameters values() {
    return values;
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

  /// Closes the plan; the next step makes a new one.
  public void dropPlan() {
    if (plan != null) {
      plan.close();
      plan = null;
    }
  }

  /// @return the plan before, which the caller closes; `null` if there was none
  StepPlan adopt(StepPlan plan) {
    TrackedParameter[] withGradient = withGradient();
    gradients = new MemorySegment[withGradient.length];
    rows = withGradient;
    StepPlan before = this.plan;
    this.plan = plan;
    for (TrackedParameter each : parameters) {
      each.plannedGradient = each.parameter.gradientOrNull();
    }
    return before;
  }

  /// The rows' gradients as they are now; `null` if there is no plan, or if the parameters that
  /// have a gradient are not those that have a row. The caller does not change the array.
  MemorySegment[] gradients() {
    if (plan == null) {
      return null;
    }
    int row = 0;
    for (TrackedParameter each : parameters) {
      MemorySegment now = each.parameter.gradientOrNull();
      if ((now != null) != each.hasRow()) {
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
    for (int i = 0; i < rows.length; i++) {
      rows[i].plannedGradient = gradients[i];
    }
  }
}
