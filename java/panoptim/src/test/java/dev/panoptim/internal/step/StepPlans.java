package dev.panoptim.internal.step;

import dev.panoptim.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Plans for tests, of plain gradient descent.
public final class StepPlans {
  private StepPlans() {}

  /// A plan of one row on the CPU, whose data and gradients are 0.
  public static StepPlan ofOneRow(Arena arena, long elements) {
    return of(
        RowFormat.withoutStates(Device.cpu()),
        new Row(
            "p",
            elements,
            arena.allocate(Float.BYTES * elements, Float.BYTES),
            arena.allocate(Float.BYTES * elements, Float.BYTES),
            List.of(),
            null,
            null));
  }

  /// A plan of one row.
  public static StepPlan of(RowFormat format, Row row) {
    return StepPlan.of(format, List.of(List.of(row))).getFirst();
  }

  /// Moves the gradient of a plan's only row to other memory.
  ///
  /// @return whether the gradient has been moved
  public static boolean moveGradient(StepPlan plan, MemorySegment gradient) {
    return new GradientRebinding(List.of(plan))
        .moveTo(List.<MemorySegment[]>of(new MemorySegment[] {gradient}));
  }

  /// Sets the next step's coefficients, so that the step subtracts each gradient times the step
  /// size.
  public static void descend(StepPlan plan, float stepSize) {
    plan.values().begin(false);
    Coefficients coefficients = plan.values().nextCoefficients();
    coefficients.gradientScale = 1;
    coefficients.stepSize = stepSize;
    for (int row = 0; row < plan.rows().count(); row++) {
      plan.values().assign(row);
    }
  }

  /// Like [#descend], with separate coefficients for each row.
  ///
  /// @param firstStepSize the step size of the first row; it grows by 1 from row to row
  public static void descendEach(StepPlan plan, float firstStepSize) {
    plan.values().begin(false);
    for (int row = 0; row < plan.rows().count(); row++) {
      Coefficients coefficients = plan.values().nextCoefficients();
      coefficients.gradientScale = 1;
      coefficients.stepSize = firstStepSize + row;
      plan.values().assign(row);
    }
  }
}
