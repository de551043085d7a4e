package dev.panoptim.internal.jvm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.MemorySegment;

/// Sums of squares in plain Java, in the order that all backends use: element i of a chunk is added
/// to sum i modulo [#LANES], and the sums are added in halves.
final class SumOfSquares {
  private static final int LANES = WorkSplit.LANES;

  private SumOfSquares() {}

  static void sumChunk(StepPlan plan, int row, long start, int length) {
    MemorySegment gradients = plan.gradient(row);
    plan.prepared().squareSums().set(row, start, sum(gradients, start, length, 0, 1));
  }

  /// Sum `lane` after the sums have been added until `width` are left. One lane at a time: an array
  /// of sums would be garbage.
  private static double sum(MemorySegment x, long start, int length, int lane, int width) {
    if (width < LANES) {
      return sum(x, start, length, lane, 2 * width)
          + sum(x, start, length, lane + width, 2 * width);
    }
    double sum = 0;
    for (long i = start + lane; i < start + length; i += LANES) {
      double value = x.getAtIndex(JAVA_FLOAT, i);
      sum += value * value;
    }
    return sum;
  }
}
