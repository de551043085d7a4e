package dev.panoptim.internal.ffm;

import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_coefficients;
import dev.panoptim.internal.bindings.panoptim_plan;
import dev.panoptim.internal.bindings.panoptim_tensor;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.parallel.HelperPool;
import dev.panoptim.internal.step.ArenaHold;
import dev.panoptim.internal.step.Coefficients;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Measures;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.PublishTarget;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.Rows;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepValues;
import dev.panoptim.rule.Decay;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A plan for native code: off-heap tables with addresses.
///
/// An address does not keep its arena open. Each call therefore also passes one segment of each
/// arena that it uses, and the linker keeps these arenas open until the call returns. A call can
/// pass [#HOLDS] segments; a plan with more arenas is divided into several calls, each for some of
/// the rows.
///
/// Not thread-safe.
public final class NativeTable extends Prepared {
  public static final int HOLDS = 8;

  /// Where the first plan begins. Its text follows its counters, so that no other table lies in
  /// their cache lines.
  private static final long CACHE_LINE = 64;

  /// The rows of one call.
  public static final class Call implements HelperPool.Work {
    public final MemorySegment plan;

    /// A segment of each arena, followed by NULL up to [#HOLDS].
    public final MemorySegment[] holds;

    /// The same for [HeldCalls], followed by NULL up to the next number that has a handle.
    final MemorySegment[] fewHolds;

    public final long elements;
    public final long firstChunk;
    public final int firstRow;
    public final int endRow;

    /// The number of helpers that the last call offered work to.
    int helpers;

    private Call(
        MemorySegment plan,
        List<MemorySegment> arenas,
        long elements,
        long firstChunk,
        int firstRow,
        int endRow) {
      this.plan = plan;
      holds = filledUp(arenas, HOLDS);
      fewHolds = filledUp(arenas, HeldCalls.arguments(arenas.size()));
      this.elements = elements;
      this.firstChunk = firstChunk;
      this.firstRow = firstRow;
      this.endRow = endRow;
    }

    private static MemorySegment[] filledUp(List<MemorySegment> arenas, int size) {
      MemorySegment[] filled = arenas.toArray(new MemorySegment[size]);
      Arrays.fill(filled, arenas.size(), size, MemorySegment.NULL);
      return filled;
    }

    @Override
    public void help() {
      PanoptimAbi.panoptim_help(plan);
    }
  }

  private final StepPlan plan;
  private final Rows rows;
  private final StepValues values;

  private final MemorySegment tensors;
  private final MemorySegment coefficients;

  /// Views of single coefficients, made when first used.
  private final MemorySegment[] coefficientViews;

  private final int[] writtenSlots;
  private long rowChanges;
  private boolean sumsKnown;
  private boolean measuresKnown;

  /// The coefficients in each slot of the table, and their written version.
  private final Coefficients[] written;

  private final long[] writtenVersions;

  // The written values for all rows; initially values that no plan has.

  private Decay writtenDecay;
  private float writtenClip = Float.NaN;
  private boolean writtenZeroes;
  private boolean writtenMeasures;
  private int writtenCount;
  private int writtenTier = -1;

  /// The written publication.
  private PublishTarget writtenTarget;

  private final List<Call> calls = new ArrayList<>();

  /// @param engine the engine that the table is for
  public NativeTable(Engine engine, StepPlan plan) {
    super(engine, plan);
    this.plan = plan;
    rows = plan.rows();
    values = plan.values();
    List<CallRows> parts = partsOf(rows);
    SegmentAllocator memory = memory(parts.size());
    List<MemorySegment> plans = parts.stream().map(each -> panoptim_plan.allocate(memory)).toList();
    tensors = panoptim_tensor.allocateArray(rows.count(), memory);
    coefficients = panoptim_coefficients.allocateArray(rows.count(), memory);
    coefficientViews = new MemorySegment[rows.count()];
    writtenSlots = new int[rows.count()];
    written = new Coefficients[rows.count()];
    writtenVersions = new long[rows.count()];
    for (int i = 0; i < parts.size(); i++) {
      addCall(parts.get(i), plans.get(i));
    }
  }

  /// Memory of one piece, which the garbage collector frees when no call uses it. An allocation
  /// takes 20 us and more, so one for each structure would be most of the time of a small table.
  private SegmentAllocator memory(int plans) {
    long bytes =
        plans * panoptim_plan.sizeof()
            + rows.count() * (panoptim_tensor.sizeof() + panoptim_coefficients.sizeof());
    return SegmentAllocator.slicingAllocator(
        new CollectedMemory(MemoryKind.TABLES).allocate(bytes, CACHE_LINE));
  }

  /// The rows of a call that is to be made.
  ///
  /// @param scopes the arenas of these rows, with their holds
  private record CallRows(int from, int to, Map<MemorySegment.Scope, ArenaHold> scopes) {}

  private static List<CallRows> partsOf(Rows rows) {
    List<CallRows> parts = new ArrayList<>();
    int first = 0;
    Map<MemorySegment.Scope, ArenaHold> scopes = new LinkedHashMap<>();
    for (int row = 0; row < rows.count(); row++) {
      Map<MemorySegment.Scope, ArenaHold> more = ArenaHold.more(scopes.keySet(), rows.get(row));
      if (scopes.size() + more.size() > HOLDS) {
        parts.add(new CallRows(first, row, scopes));
        first = row;
        scopes = new LinkedHashMap<>();
        row--;
      } else {
        scopes.putAll(more);
      }
    }
    parts.add(new CallRows(first, rows.count(), scopes));
    return parts;
  }

  private void addCall(CallRows part, MemorySegment call) {
    int from = part.from;
    int to = part.to;
    for (int row = from; row < to; row++) {
      fillRow(
          row, rows.offset(row) - rows.offset(from), rows.firstChunk(row) - rows.firstChunk(from));
    }
    panoptim_plan.tensors(call, tensors.asSlice(from * panoptim_tensor.sizeof()));
    panoptim_plan.tensor_count(call, to - from);
    panoptim_plan.coefficients(call, coefficients);
    panoptim_plan.coefficients_count(call, 1);
    RuleCodes.write(rows.rule(), call);
    calls.add(
        new Call(
            call,
            part.scopes.values().stream().map(ArenaHold::segment).toList(),
            rows.offset(to) - rows.offset(from),
            rows.firstChunk(from),
            from,
            to));
  }

  private void fillRow(int row, long offset, long firstChunk) {
    Row source = rows.get(row);
    MemorySegment target = panoptim_tensor.asSlice(tensors, row);
    panoptim_tensor.parameter(target, source.data());
    panoptim_tensor.gradient(target, plan.gradient(row));
    for (int i = 0; i < source.states().size(); i++) {
      panoptim_tensor.state(target, i, source.states().get(i));
    }
    if (rows.averages()) {
      panoptim_tensor.average(target, source.average());
    }
    if (rows.halfPrecision() != null) {
      panoptim_tensor.half_precision(target, source.halfPrecisionCopy());
    }
    panoptim_tensor.length(target, source.size());
    panoptim_tensor.offset(target, offset);
    panoptim_tensor.first_chunk(target, firstChunk);
    panoptim_tensor.published(target, source.published());
  }

  @Override
  public void gradientsMoved() {
    for (int row = 0; row < writtenSlots.length; row++) {
      // A slice would be garbage at each step.
      long at = row * panoptim_tensor.sizeof() + panoptim_tensor.gradient$offset();
      tensors.set(ValueLayout.ADDRESS, at, plan.gradient(row));
    }
    rowChanges++;
  }

  /// Updates the calls of a step to the plan's present values, and returns them.
  public List<Call> calls(int tier) {
    writeCoefficients();
    for (int row = 0; row < writtenSlots.length; row++) {
      if (writtenSlots[row] != values.slot(row)) {
        // A slice would be garbage at each step.
        long at = row * panoptim_tensor.sizeof() + panoptim_tensor.coefficients$offset();
        tensors.set(ValueLayout.JAVA_LONG, at, values.slot(row));
        rowChanges++;
        writtenSlots[row] = values.slot(row);
      }
    }
    if (values.decay() != writtenDecay
        || values.clip() != writtenClip
        || values.zeroes() != writtenZeroes
        || values.measuresCurvature() != writtenMeasures
        || values.usedSlots() != writtenCount) {
      writeCommonValues();
    }
    writeTier(tier);
    if (values.publishTarget() != writtenTarget) {
      writePublication(values.publishTarget());
    }
    return calls;
  }

  /// Writes the values for all rows, which seldom change between steps.
  private void writeCommonValues() {
    for (int i = 0; i < calls.size(); i++) {
      MemorySegment call = calls.get(i).plan;
      panoptim_plan.coefficients_count(call, values.usedSlots());
      panoptim_plan.decay(call, RuleCodes.of(values.decay()));
      panoptim_plan.clips(call, values.clips() ? 1 : 0);
      panoptim_plan.clip(call, values.clip());
      panoptim_plan.zeroes(call, values.zeroes() ? 1 : 0);
      panoptim_plan.averages(call, values.averages() ? 1 : 0);
      panoptim_plan.half_precision(call, RuleCodes.of(values.halfPrecision()));
    }
    writtenDecay = values.decay();
    writtenClip = values.clip();
    writtenZeroes = values.zeroes();
    writtenMeasures = values.measuresCurvature();
    writtenCount = values.usedSlots();
  }

  private void writeTier(int tier) {
    if (tier != writtenTier) {
      for (int i = 0; i < calls.size(); i++) {
        panoptim_plan.tier(calls.get(i).plan, tier);
      }
      writtenTier = tier;
    }
  }

  private void writePublication(PublishTarget target) {
    for (int i = 0; i < calls.size(); i++) {
      MemorySegment call = calls.get(i).plan;
      panoptim_plan.publish(call, RuleCodes.of(target));
      if (target != null) {
        panoptim_plan.publish_averages(call, target.averages() ? 1 : 0);
        panoptim_plan.publication(call, target.memory());
      }
    }
    writtenTarget = target;
  }

  /// The calls for the sums of squares.
  List<Call> callsForSums(int tier) {
    writeTier(tier);
    if (!sumsKnown) {
      for (int i = 0; i < calls.size(); i++) {
        Call call = calls.get(i);
        panoptim_plan.square_sums(
            call.plan, squareSums().memory().asSlice(call.firstChunk * Double.BYTES));
      }
    }
    sumsKnown = true;
    return calls;
  }

  /// The calls for the measures.
  List<Call> callsForMeasures(int tier) {
    calls(tier);
    if (!measuresKnown) {
      for (int i = 0; i < calls.size(); i++) {
        Call call = calls.get(i);
        long start = call.firstChunk * Measures.COUNT * Double.BYTES;
        panoptim_plan.measures(call.plan, measures().memory().asSlice(start));
        panoptim_plan.measured(call.plan, Measures.neededBy(rows.rule()));
      }
    }
    measuresKnown = true;
    return calls;
  }

  /// The calls, without an update.
  public List<Call> calls() {
    return calls;
  }

  /// The coefficients of the last calls for a step, in the order of the plan's slots.
  public MemorySegment coefficients() {
    return coefficients;
  }

  /// The number of changes of rows since the table was made.
  public long rowChanges() {
    return rowChanges;
  }

  @Override
  public int helpers() {
    int most = 0;
    for (Call call : calls) {
      most = Math.max(most, call.helpers);
    }
    return most;
  }

  /// Does nothing: the garbage collector frees the table when no call uses it.
  @Override
  public void close() {}

  private MemorySegment coefficientView(int slot) {
    if (coefficientViews[slot] == null) {
      coefficientViews[slot] = panoptim_coefficients.asSlice(coefficients, slot);
    }
    return coefficientViews[slot];
  }

  private void writeCoefficients() {
    for (int slot = 0; slot < values.usedSlots(); slot++) {
      Coefficients from = values.coefficients(slot);
      MemorySegment to = coefficientView(slot);
      if (written[slot] != from || writtenVersions[slot] != from.version()) {
        NativeCoefficients.writeVersion(from, to);
        written[slot] = from;
        writtenVersions[slot] = from.version();
      }
      NativeCoefficients.writeStep(from, to);
    }
  }
}
