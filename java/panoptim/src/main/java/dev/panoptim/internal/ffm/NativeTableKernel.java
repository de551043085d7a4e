package dev.panoptim.internal.ffm;

import dev.panoptim.backend.Tier;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_coefficients;
import dev.panoptim.internal.bindings.panoptim_plan;
import dev.panoptim.internal.bindings.panoptim_row_gap;
import dev.panoptim.internal.bindings.panoptim_row_operand;
import dev.panoptim.internal.bindings.panoptim_rows;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.step.TableBatch;
import dev.panoptim.internal.step.TableKernel;
import dev.panoptim.internal.step.TableLayout;
import dev.panoptim.internal.step.TableMemory;
import dev.panoptim.internal.step.TableValues;
import dev.panoptim.rule.Decay;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;
import java.util.Arrays;

/// Steps over rows in C++, in one tier, with helpers of the pool.
///
/// Not thread-safe.
final class NativeTableKernel extends TableKernel {
  private static final class Function {
    /// The pointers after the first keep the arenas of gradients and rows open until the call
    /// returns.
    static final MethodHandle STEP =
        PanoptimAbi.panoptim_step_rows
            .makeInvoker(PanoptimAbi.C_POINTER, PanoptimAbi.C_POINTER)
            .handle();
  }

  /// No other table lies in the cache lines of the shared counters.
  private static final long CACHE_LINE = 64;

  private static final long NEVER = -1;

  private final MemorySegment call;
  private final MemorySegment rule;
  private final MemorySegment current;
  private final MemorySegment[] steps;
  private final MemorySegment gaps;
  private final MemorySegment[] moves;
  private final MemorySegment[] decays;
  private final long[] writtenSteps;
  private final long[] writtenGaps;
  private final Sharing sharing;
  private Decay writtenDecay;

  /// The tier must be available.
  ///
  /// @throws OutOfMemoryError if the tables would exceed the limit of memory
  NativeTableKernel(Tier tier, TableLayout layout) {
    super(layout);
    int missed = layout.replayed();
    int gapCount = layout.makesMissedSteps() ? TableValues.GAPS : 0;
    long coefficients = 1L + missed + 2 * gapCount;
    SegmentAllocator memory =
        SegmentAllocator.slicingAllocator(
            new CollectedMemory(MemoryKind.TABLES)
                .allocate(
                    panoptim_rows.sizeof()
                        + panoptim_plan.sizeof()
                        + gapCount * panoptim_row_gap.sizeof()
                        + coefficients * panoptim_coefficients.sizeof(),
                    CACHE_LINE));
    call = panoptim_rows.allocate(memory);
    sharing = new Sharing();
    rule = panoptim_plan.allocate(memory);
    gaps = panoptim_row_gap.allocateArray(gapCount, memory);
    current = panoptim_coefficients.allocate(memory);
    MemorySegment ring = panoptim_coefficients.allocateArray(missed, memory);
    MemorySegment moving = panoptim_coefficients.allocateArray(gapCount, memory);
    MemorySegment decaying = panoptim_coefficients.allocateArray(gapCount, memory);
    steps = slices(ring, missed);
    moves = slices(moving, gapCount);
    decays = slices(decaying, gapCount);
    writtenSteps = never(missed);
    writtenGaps = never(gapCount);
    RuleCodes.write(layout.rule(), rule);
    panoptim_rows.rule(call, rule);
    panoptim_rows.coefficients(call, current);
    panoptim_rows.missed(call, ring);
    panoptim_rows.gaps(call, gaps);
    panoptim_rows.moves(call, moving);
    panoptim_rows.decays(call, decaying);
    panoptim_rows.replayed(call, missed);
    panoptim_rows.tier(call, tier.ordinal());
    panoptim_rows.width(call, layout.memory().width());
    panoptim_rows.factor(
        call,
        layout.rowWise()
            ? PanoptimAbi.PANOPTIM_ROW_FACTOR_ADAGRAD()
            : PanoptimAbi.PANOPTIM_ROW_FACTOR_NONE());
    writeOperands(layout);
  }

  private static long[] never(int count) {
    long[] written = new long[count];
    Arrays.fill(written, NEVER);
    return written;
  }

  private static MemorySegment[] slices(MemorySegment array, int count) {
    MemorySegment[] made = new MemorySegment[count];
    for (int i = 0; i < count; i++) {
      made[i] = panoptim_coefficients.asSlice(array, i);
    }
    return made;
  }

  private void writeOperands(TableLayout layout) {
    TableMemory memory = layout.memory();
    write(panoptim_rows.parameter(call), memory, TableMemory.PARAMETER);
    for (int i = 0; i < layout.rule().stateNames().size(); i++) {
      write(panoptim_rows.state(call, i), memory, TableMemory.STATE + i);
    }
    write(panoptim_rows.sum(call), memory, TableMemory.SUM);
    write(panoptim_rows.steps(call), memory, TableMemory.STEPS);
    write(panoptim_rows.version(call), memory, TableMemory.VERSION);
  }

  private static void write(MemorySegment target, TableMemory memory, int operand) {
    panoptim_row_operand.base(target, MemorySegment.ofAddress(memory.base(operand)));
    panoptim_row_operand.stride(target, memory.stride(operand));
  }

  @Override
  public void step(TableBatch batch, MemorySegment gradients, TableValues values, int threads) {
    writeValues(values);
    batch.writePlaces(layout.memory());
    panoptim_rows.places(call, batch.places());
    panoptim_rows.first(call, batch.firsts());
    panoptim_rows.next(call, batch.nexts());
    panoptim_rows.gradients(call, gradients);
    panoptim_rows.count(call, batch.count());
    panoptim_rows.gradient_count(call, batch.gradientCount());
    sharing.gradients = gradients;
    try {
      sharing.run((long) batch.count() * layout.memory().width(), threads);
    } finally {
      sharing.gradients = null;
      Reference.reachabilityFence(this);
      Reference.reachabilityFence(batch);
    }
  }

  private void writeValues(TableValues values) {
    NativeCoefficients.write(values.coefficients(), current);
    for (long step = Math.max(values.step() - steps.length, 1); step < values.step(); step++) {
      int place = (int) (step % steps.length);
      if (writtenSteps[place] != step) {
        NativeCoefficients.write(values.missed(step), steps[place]);
        writtenSteps[place] = step;
      }
    }
    for (int power = 0; power < values.gapCount(); power++) {
      if (writtenGaps[power] != values.decays(power).version()) {
        writeGap(values, power);
      }
    }
    if (values.decay() != writtenDecay) {
      writtenDecay = values.decay();
      panoptim_plan.decay(rule, RuleCodes.of(writtenDecay));
    }
    panoptim_rows.step(call, values.step());
    panoptim_rows.learning_rate(call, values.learningRate());
    panoptim_rows.epsilon(call, values.epsilon());
  }

  private void writeGap(TableValues values, int power) {
    NativeCoefficients.write(values.moves(power), moves[power]);
    NativeCoefficients.write(values.decays(power), decays[power]);
    MemorySegment gap = panoptim_row_gap.asSlice(gaps, power);
    panoptim_row_gap.first_power(gap, values.firstPower(power));
    panoptim_row_gap.second_power(gap, values.secondPower(power));
    panoptim_row_gap.movement(gap, values.movement(power));
    panoptim_row_gap.middle(gap, values.middle(power));
    writtenGaps[power] = values.decays(power).version();
  }

  private final class Sharing extends SharedElements {
    /// `null` between two steps.
    private MemorySegment gradients;

    Sharing() {
      super(
          call,
          panoptim_rows.share$offset(),
          panoptim_rows.sharing$offset(),
          panoptim_rows.error$offset());
    }

    @Override
    int call() throws Throwable {
      return (int) Function.STEP.invokeExact(call, gradients, layout.memory().arena());
    }

    @Override
    public void help() {
      PanoptimAbi.panoptim_help_rows(call);
    }
  }
}
