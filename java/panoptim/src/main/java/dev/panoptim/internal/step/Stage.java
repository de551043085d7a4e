package dev.panoptim.internal.step;

import dev.panoptim.rule.Hyperparameters;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;

/// The second half of a step that is more than one elementwise step. Such a step has three parts:
/// 1. The group's plan has directions in the place of parameters. A step of size -1 from 0 writes
///    there what the stage makes directions of.
/// 2. The stage makes directions of it, in place.
/// 3. The stage's plan moves the parameters, with the directions as gradients. Averages,
///    half-precision copies and publications belong to this plan.
///
/// Not thread-safe.
abstract sealed class Stage permits FactoredStage, MatrixStage {
  private final StepPlan update;
  private final List<StepPlan> plans;
  private final List<MemorySegment> directions;

  /// @param update the plan of the last part
  /// @param others further plans of the stage
  /// @param directions the direction of each row
  Stage(StepPlan update, List<StepPlan> others, List<MemorySegment> directions) {
    this.update = update;
    this.directions = List.copyOf(directions);
    plans = Stream.concat(Stream.of(update), others.stream()).toList();
  }

  /// The plan of the last part.
  final StepPlan update() {
    return update;
  }

  /// All plans of the stage.
  final List<StepPlan> plans() {
    return plans;
  }

  /// Sets the directions to 0, from which the first part starts.
  final void begin() {
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
  abstract void finish(
      TrackedParameter[] rows,
      Hyperparameters values,
      Engine engine,
      int threads,
      double averageDecay);
}
