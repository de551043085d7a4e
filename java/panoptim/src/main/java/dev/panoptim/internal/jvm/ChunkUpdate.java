package dev.panoptim.internal.jvm;

import dev.panoptim.internal.step.StepPlan;

/// The work of a JVM engine on one chunk.
interface ChunkUpdate {
  /// @param row the chunk's row
  /// @param start the chunk's first element in that row
  /// @param length the number of its elements
  void update(StepPlan plan, int row, long start, int length);
}
