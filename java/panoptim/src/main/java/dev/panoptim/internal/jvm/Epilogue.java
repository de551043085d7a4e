package dev.panoptim.internal.jvm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.step.PublishTarget;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepValues;
import dev.panoptim.memory.HalfPrecision;
import java.lang.foreign.MemorySegment;

/// The work after the update of some elements of a row, in plain Java: average, half-precision
/// copy, publication, gradients of 0, as the plan requires.
final class Epilogue {
  private Epilogue() {}

  static void run(StepPlan plan, int index, long start, int length) {
    Row row = plan.rows().get(index);
    StepValues values = plan.values();
    long end = start + length;
    if (values.averages()) {
      average(row, values.coefficients(values.slot(index)).averageTake, start, end);
    }
    HalfPrecision halfPrecision = values.halfPrecision();
    if (halfPrecision != null) {
      halfPrecision.write(row.data(), row.halfPrecisionCopy(), start, end);
    }
    PublishTarget target = values.publishTarget();
    if (target != null && row.published() >= 0) {
      MemorySegment from = target.averages() ? row.average() : row.data();
      target.copy(from, row.published(), start, end);
    }
    if (values.zeroes()) {
      MemorySegment gradients = plan.gradient(index);
      for (long i = start; i < end; i++) {
        gradients.setAtIndex(JAVA_FLOAT, i, 0);
      }
    }
  }

  private static void average(Row row, float take, long start, long end) {
    MemorySegment data = row.data();
    MemorySegment averages = row.average();
    for (long i = start; i < end; i++) {
      float before = averages.getAtIndex(JAVA_FLOAT, i);
      float after = Math.fma(take, data.getAtIndex(JAVA_FLOAT, i) - before, before);
      averages.setAtIndex(JAVA_FLOAT, i, Float.isNaN(after) ? Float.NaN : after);
    }
  }
}
