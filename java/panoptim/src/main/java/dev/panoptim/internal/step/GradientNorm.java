package dev.panoptim.internal.step;

import dev.panoptim.device.Device;
import dev.panoptim.internal.parallel.ThreadProperties;
import dev.panoptim.memory.Parameter;
import java.util.ArrayList;
import java.util.List;

/// The norm of gradients outside of a step.
///
/// Thread-safe, as long as no other thread uses the gradients.
public final class GradientNorm {
  private GradientNorm() {}

  /// The norm of all gradients together: the same bits as a step's.
  ///
  /// @param parameters all on the engine's device and with a gradient
  /// @throws IllegalStateException if the arena of a gradient has been closed
  public static double of(List<Parameter> parameters, Engine engine) {
    Device device = engine.device();
    List<Row> rows = new ArrayList<>();
    for (Parameter each : parameters) {
      rows.add(
          new Row(each.name(), each.size(), each.data(), each.gradient(), List.of(), null, null));
    }
    try (StepPlan plan = StepPlan.of(RowFormat.withoutStates(device), List.of(rows)).getFirst()) {
      return Math.sqrt(engine.addSquares(0, plan, ThreadProperties.mostThreads()));
    }
  }
}
