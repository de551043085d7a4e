package dev.panoptim.internal.step;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.parallel.Lanes;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.rule.Decay;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Steps over rows in Java, on the calling thread: each row is copied into a plan of one tensor,
/// whose dense step is made. The gradients of a row are read before the row changes: if their arena
/// is closed in the middle of a step, no row is left half changed.
///
/// Not thread-safe.
public abstract class JavaTableKernel extends TableKernel {
  private static final VarHandle VERSION = ValueLayout.JAVA_INT.varHandle();

  private final TableMemory memory;
  private final int width;
  private final int states;
  private final Row row;
  private final StepPlan plan;

  /// Of the gradients of a row.
  private final MemorySegment sum;

  private final double[] lanes = new double[WorkSplit.LANES];

  /// @throws OutOfMemoryError if the copy of a row would exceed the limit of memory
  protected JavaTableKernel(TableLayout layout) {
    super(layout);
    memory = layout.memory();
    width = memory.width();
    states = layout.rule().stateNames().size();
    CollectedMemory copies = new CollectedMemory(MemoryKind.TABLES);
    List<MemorySegment> operands = new ArrayList<>();
    for (int i = 0; i < 2 + states; i++) {
      operands.add(copies.allocate((long) width * Float.BYTES, Float.BYTES));
    }
    sum = copies.allocate((long) width * Float.BYTES, Float.BYTES);
    row =
        new Row(
            "a copy of a row",
            width,
            operands.get(0),
            operands.get(1),
            operands.subList(2, operands.size()),
            null,
            null);
    plan =
        StepPlan.of(RowFormat.onCpu(layout.rule(), false, null), List.of(List.of(row))).getFirst();
  }

  /// Makes the dense step of the plan's only row.
  ///
  /// @param decay the kind of decay that the step applies
  protected abstract void update(StepPlan plan, Decay decay, int length);

  @Override
  public final void step(
      TableBatch batch, MemorySegment gradients, TableValues values, int threads) {
    for (int i = 0; i < batch.count(); i++) {
      step(batch.row(i), batch, batch.first(i), gradients, values);
    }
  }

  private void step(
      long number, TableBatch batch, int first, MemorySegment gradients, TableValues values) {
    boolean steps = first != TableBatch.NONE;
    if (steps) {
      addUp(batch, first, gradients);
    }
    int version = beginWriting(number);
    try {
      copyIn(number);
      if (memory.stride(TableMemory.STEPS) > 0) {
        makeMissedSteps(number, steps ? values.step() : values.step() - 1, values);
      }
      if (steps) {
        row.gradient().copyFrom(sum);
        update(layout.rowWise() ? rowWise(number, values) : values.coefficients(), values.decay());
      }
      copyOut(number);
    } finally {
      // Readers would otherwise wait for the end.
      endWriting(number, version);
    }
  }

  private void update(Coefficients coefficients, Decay decay) {
    plan.values().use(coefficients, decay);
    update(plan, decay, width);
  }

  private int beginWriting(long number) {
    if (memory.stride(TableMemory.VERSION) == 0) {
      return 0;
    }
    MemorySegment at = memory.segment(TableMemory.VERSION, number);
    long offset = memory.offset(TableMemory.VERSION, number);
    int version = (int) VERSION.get(at, offset);
    VERSION.setOpaque(at, offset, version + 1);
    // What follows is not written before the line above.
    VarHandle.releaseFence();
    return version;
  }

  private void endWriting(long number, int version) {
    if (memory.stride(TableMemory.VERSION) != 0) {
      VERSION.setRelease(
          memory.segment(TableMemory.VERSION, number),
          memory.offset(TableMemory.VERSION, number),
          version + 2);
    }
  }

  private void copyIn(long number) {
    copyFrom(TableMemory.PARAMETER, number, row.data());
    for (int i = 0; i < states; i++) {
      copyFrom(TableMemory.STATE + i, number, row.states().get(i));
    }
  }

  private void copyFrom(int operand, long number, MemorySegment to) {
    MemorySegment.copy(
        memory.segment(operand, number), memory.offset(operand, number), to, 0, to.byteSize());
  }

  private void copyOut(long number) {
    copyTo(TableMemory.PARAMETER, number, row.data());
    for (int i = 0; i < states; i++) {
      copyTo(TableMemory.STATE + i, number, row.states().get(i));
    }
  }

  private void copyTo(int operand, long number, MemorySegment from) {
    MemorySegment.copy(
        from, 0, memory.segment(operand, number), memory.offset(operand, number), from.byteSize());
  }

  private void addUp(TableBatch batch, int first, MemorySegment gradients) {
    long bytes = sum.byteSize();
    MemorySegment.copy(gradients, first * bytes, sum, 0, bytes);
    for (int next = batch.next(first); next != TableBatch.NONE; next = batch.next(next)) {
      long start = (long) next * width;
      for (int i = 0; i < width; i++) {
        sum.setAtIndex(
            JAVA_FLOAT,
            i,
            gradients.getAtIndex(JAVA_FLOAT, start + i) + sum.getAtIndex(JAVA_FLOAT, i));
      }
    }
  }

  /// The coefficients of a row that is divided by its own sum, to which it adds.
  private Coefficients rowWise(long number, TableValues values) {
    double mean = sumOfSquares() / width;
    MemorySegment at = memory.segment(TableMemory.SUM, number);
    long offset = memory.offset(TableMemory.SUM, number);
    float squares = (float) (at.get(JAVA_FLOAT, offset) + mean);
    squares = Float.isNaN(squares) ? Float.NaN : squares;
    at.set(JAVA_FLOAT, offset, squares);
    Coefficients own = values.coefficients();
    own.step(values.learningRate() / (Math.sqrt(squares) + values.epsilon()));
    return own;
  }

  /// In the order of `panoptim_sum_squares`, as if the row were one chunk.
  private double sumOfSquares() {
    Arrays.fill(lanes, 0);
    for (int i = 0; i < width; i++) {
      double g = row.gradient().getAtIndex(JAVA_FLOAT, i);
      lanes[i % lanes.length] += g * g;
    }
    return Lanes.sumInHalves(lanes);
  }

  /// See `panoptim_rows` in `native/include/panoptim.h`.
  private void makeMissedSteps(long number, long now, TableValues values) {
    MemorySegment at = memory.segment(TableMemory.STEPS, number);
    long offset = memory.offset(TableMemory.STEPS, number);
    // A table in a file may have any number here.
    long before = Math.max(at.get(ValueLayout.JAVA_LONG, offset), 0);
    if (before < now) {
      at.set(ValueLayout.JAVA_LONG, offset, now);
    }
    long missed = values.step() - 1 - before;
    if (missed <= 0 || !layout.makesMissedSteps()) {
      return;
    }
    row.gradient().fill((byte) 0);
    long together = Math.max(missed - layout.replayed(), 0);
    long next = before + 1;
    for (int power = 0; power < TableValues.GAPS; power++) {
      if ((together >> power & 1) != 0) {
        update(values.move(power, next), values.decay());
        update(values.decays(power), values.decay());
        next += 1L << power;
      }
    }
    for (long step = next; step < values.step(); step++) {
      update(values.missed(step), values.decay());
    }
  }
}
