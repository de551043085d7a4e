package dev.panoptim.internal.step;

import dev.panoptim.rule.Hyperparameters;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// The second half of a step that is more than one elementwise step. Such a step has three parts:
/// 1. The group's plan has directions in the place of parameters. A step of size -1 from 0 writes
///    there what the stage makes directions of.
/// 2. The stage makes directions of it, in place.
/// 3. The stage's plan moves the parameters, with the directions as gradients. Averages,
///    half-precision copies and publications belong to this plan.
///
/// Not thread-safe.
sealed interface Stage permits FactoredStage, MatrixStage {
  /// The plan of the last part.
  StepPlan update();

  /// All plans of the stage.
  List<StepPlan> plans();

  /// The direction of each row.
  List<MemorySegment> directions();

  /// Sets the directions to 0, from which the first part starts.
  default void begin() {
    List<MemorySegment> directions = directions();
    for (int i = 0; i < directions.size(); i++) {
      directions.get(i).fill((byte) 0);
    }
  }

  /// Makes the rest of the step, after the first part.
  ///
  /// @param rows the parameters of the plan's rows
  /// @param values of the group
  /// @param threads the most threads of the step, including the calling one
  /// @param averageDecay the decay of running averages; NaN if parameters are not averaged
  void finish(
      TrackedParameter[] rows,
      Hyperparameters values,
      Engine engine,
      int threads,
      double averageDecay);
}
