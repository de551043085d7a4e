package dev.panoptim.internal.step;

import dev.panoptim.backend.Backend;
import dev.panoptim.device.Device;
import dev.panoptim.internal.cuda.OffloadedSlices;
import dev.panoptim.internal.ffm.NativeTable;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.parallel.ThreadProperties;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What a step works on: a row for each parameter that has a gradient, and the coefficients that
/// rows share.
///
/// Built when parameters or states change place, not at every step; all that could crash native
/// code is checked here, once, and whether the memory is still alive at every step. Of gradients
/// that change place, [GradientRebinding] tells a plan.
///
/// Not thread-safe.
public final class StepPlan implements AutoCloseable {
  /// The memory of one parameter. The states are those of [Rule#stateNames()], in that order.
  ///
  /// @param average as many floats, a running average of the data; `null` in all rows of a plan
  ///   that keeps none
  /// @param halfPrecisionCopy as many 16-bit numbers, a copy of the data; `null` in all rows of a
  ///   plan that has none
  /// @param published bytes from the beginning of a [PublishTarget] to this row's copy there; below
  ///   0 where the row is not published
  public record Row(
      String name,
      long size,
      MemorySegment data,
      MemorySegment gradient,
      List<MemorySegment> states,
      MemorySegment average,
      MemorySegment halfPrecisionCopy,
      long published) {
    public Row {
      states = List.copyOf(states);
    }

    /// A row that is not published.
    public Row(
        String name,
        long size,
        MemorySegment data,
        MemorySegment gradient,
        List<MemorySegment> states,
        MemorySegment average,
        MemorySegment halfPrecisionCopy) {
      this(name, size, data, gradient, states, average, halfPrecisionCopy, -1);
    }
  }

  private final Rule rule;
  private final Device device;
  private final Device stateDevice;
  private final List<Row> rows;

  /// The rows' gradients as they are now: they may have moved since the plan was made.
  private MemorySegment[] gradients;

  /// Gradients that have been checked, and will take the place of those; else `null`.
  private MemorySegment[] candidates;

  private final States[] states;
  private final long[] offsets;
  private final long[] firstChunks;
  private final ArenaHold[] holds;
  private final boolean confined;
  private final int[] slots;
  private final List<Coefficients> coefficients = new ArrayList<>();
  private int usedSlots;
  private final boolean averages;
  private final HalfPrecision halfPrecision;
  private Decay decay;
  private float clip = Float.POSITIVE_INFINITY;
  private boolean zeroes;
  private PublishTarget publishTarget;
  private MemorySegment squareSums;
  private NativeTable nativeTable;
  private Prepared prepared;

  /// Who has made it; `null` where there is nothing.
  private Backend preparedBy;

  private final ParallelChunks parallelChunks = new ParallelChunks(this);

  /// One plan for each group of rows, all under one rule, in the CPU's memory; otherwise as the
  /// other method of this name.
  public static List<StepPlan> of(
      Rule rule, List<List<Row>> groups, boolean averages, HalfPrecision halfPrecision) {
    return of(rule, Device.cpu(), Device.cpu(), groups, averages, halfPrecision);
  }

  /// One plan for each group of rows, all under one rule.
  ///
  /// @param device where data, gradients and half-precision copies lie
  /// @param stateDevice where states and averages lie
  /// @param averages whether the rows have averages
  /// @param halfPrecision what the rows' half-precision copies are, `null` where they have none
  /// @throws IllegalArgumentException as [ThreadProperties#requireValid()]; if a stream has the
  ///   wrong size, is on the heap, not aligned to 4 bytes, read-only although a step writes it, or
  ///   has bytes where no memory can be, such as at address 0; if two streams of any groups
  ///   overlap; if a row has not one segment for each state of the rule; or if the rows of a group
  ///   have more than 2^63-1 elements
  /// @throws IllegalStateException if a stream's arena has been closed
  /// @throws WrongThreadException if a stream's arena is confined to another thread
  public static List<StepPlan> of(
      Rule rule,
      Device device,
      Device stateDevice,
      List<List<Row>> groups,
      boolean averages,
      HalfPrecision halfPrecision) {
    ThreadProperties.requireValid();
    // What is checked must be what is kept, whatever the caller's lists do meanwhile.
    List<List<Row>> copies = groups.stream().map(List::copyOf).toList();
    List<TensorChecks.Named> streams = new ArrayList<>();
    for (List<Row> rows : copies) {
      for (Row row : rows) {
        check(rule, device, stateDevice, row, streams);
        if (averages) {
          add(streams, stateDevice, "average", row, row.average(), true);
        }
        if (halfPrecision != null) {
          String name = "half-precision copy of '" + row.name() + "'";
          TensorChecks.requireHalfPrecisionCopy(device, name, row.size(), row.halfPrecisionCopy());
          streams.add(
              new TensorChecks.Named(name, row.halfPrecisionCopy(), row.size() * Short.BYTES));
        }
      }
    }
    TensorChecks.requireDisjoint(streams);
    return copies.stream()
        .map(rows -> new StepPlan(rule, device, stateDevice, rows, averages, halfPrecision))
        .toList();
  }

  private static void check(
      Rule rule, Device device, Device stateDevice, Row row, List<TensorChecks.Named> streams) {
    List<String> states = rule.stateNames();
    if (row.states().size() != states.size()) {
      throw new IllegalArgumentException(
          "'%s' has %s states, but must have %s"
              .formatted(row.name(), row.states().size(), states));
    }
    add(streams, device, "data", row, row.data(), true);
    add(streams, device, "gradient", row, row.gradient(), false);
    for (int i = 0; i < states.size(); i++) {
      add(streams, stateDevice, states.get(i), row, row.states().get(i), true);
    }
  }

  private static void add(
      List<TensorChecks.Named> streams,
      Device device,
      String kind,
      Row row,
      MemorySegment segment,
      boolean written) {
    String name = kind + " of '" + row.name() + "'";
    TensorChecks.require(device, name, row.size(), segment, written);
    TensorChecks.requireAlive(name, segment);
    streams.add(new TensorChecks.Named(name, segment, row.size() * Float.BYTES));
  }

  private StepPlan(
      Rule rule,
      Device device,
      Device stateDevice,
      List<Row> rows,
      boolean averages,
      HalfPrecision halfPrecision) {
    this.rule = rule;
    this.device = device;
    this.stateDevice = stateDevice;
    this.averages = averages;
    this.halfPrecision = halfPrecision;
    this.rows = rows;
    this.gradients = rows.stream().map(Row::gradient).toArray(MemorySegment[]::new);
    this.candidates = new MemorySegment[rows.size()];
    this.decay = rule.decay();
    this.slots = new int[rows.size()];
    this.states = rows.stream().map(row -> States.of(rule, row)).toArray(States[]::new);
    this.offsets = new long[rows.size() + 1];
    this.firstChunks = new long[rows.size() + 1];
    for (int i = 0; i < rows.size(); i++) {
      offsets[i + 1] = offsets[i] + rows.get(i).size();
      firstChunks[i + 1] =
          firstChunks[i] + Math.ceilDiv(rows.get(i).size(), (long) WorkSplit.CHUNK);
      if (offsets[i + 1] < 0) {
        throw new IllegalArgumentException(
            "the parameters up to '%s' have more than %s elements"
                .formatted(rows.get(i).name(), Long.MAX_VALUE));
      }
    }
    this.holds = ArenaHold.of(this.rows);
    this.confined = ArenaHold.anyConfined(holds);
  }

  public Rule rule() {
    return rule;
  }

  /// Where data, gradients and half-precision copies lie.
  public Device device() {
    return device;
  }

  /// Where states and averages lie.
  public Device stateDevice() {
    return stateDevice;
  }

  /// The decay that the next step applies: none where the group's weight decay is 0, else the
  /// rule's.
  public Decay decay() {
    return decay;
  }

  /// Forgets the previous step's coefficients.
  ///
  /// @param decays whether the group's weight decay is other than 0
  public void begin(boolean decays) {
    usedSlots = 0;
    decay = decays ? rule.decay() : Decay.NONE;
  }

  /// What happens to gradients around the update.
  ///
  /// @param clip keeps each gradient, once scaled, from `-clip` to `clip`; infinite for not at all
  /// @param zeroes whether gradients are set to 0 once they have been used
  /// @throws IllegalArgumentException if they are to be set to 0 but one of them is read-only, or
  ///   `clip` is not a number of 0 or more; nothing has changed
  public void treatGradients(float clip, boolean zeroes) {
    if (!(clip >= 0)) {
      throw new IllegalArgumentException("clip is " + clip + ", but must be 0 or more");
    }
    if (zeroes && !this.zeroes) {
      for (int i = 0; i < gradients.length; i++) {
        Row row = rows.get(i);
        TensorChecks.require(
            device, "gradient of '" + row.name() + "'", row.size(), gradients[i], true);
      }
    }
    this.clip = clip;
    this.zeroes = zeroes;
  }

  /// Where the next step copies the rows to that are published; `null` for nowhere, as at first.
  ///
  /// @param target has room for these rows, and nobody reads or frees it until the step is done
  /// @throws IllegalArgumentException if the plan is not for the CPU, or averages are to be
  ///   published that it does not keep
  public void publishTo(PublishTarget target) {
    if (target != null && !device.isCpu()) {
      throw new IllegalArgumentException("a step on " + device + " cannot publish by itself");
    }
    if (target != null && target.averages() && !averages) {
      throw new IllegalArgumentException("averages are to be published, but none are kept");
    }
    publishTarget = target;
  }

  /// `null` for nowhere.
  public PublishTarget publishTarget() {
    return publishTarget;
  }

  /// Whether some segments could be the rows' gradients from now on, as far as this plan alone can
  /// say; keeps them for [#adoptCandidates] if so.
  public boolean accepts(MemorySegment[] moved) {
    if (moved.length != gradients.length) {
      return false;
    }
    for (int i = 0; i < moved.length; i++) {
      // What is checked must be what is kept, whatever the caller's array does meanwhile.
      MemorySegment candidate = moved[i];
      if (candidate == null || candidate != gradients[i] && !couldBe(i, candidate)) {
        return false;
      }
      candidates[i] = candidate;
    }
    return true;
  }

  private boolean couldBe(int row, MemorySegment candidate) {
    return candidate.scope().equals(gradients[row].scope())
        && TensorChecks.areFloats(device, rows.get(row).size(), candidate)
        && !(zeroes && candidate.isReadOnly());
  }

  public MemorySegment candidate(int row) {
    return candidates[row];
  }

  /// Forgets what has been accepted, and lets its memory go.
  public void dropCandidates() {
    Arrays.fill(candidates, null);
  }

  /// Makes what has been accepted the gradients. Allocates nothing, and so has nothing to fail for.
  public void adoptCandidates() {
    MemorySegment[] before = gradients;
    gradients = candidates;
    candidates = before;
    dropCandidates();
    if (nativeTable != null) {
      nativeTable.writeGradients();
    }
    if (prepared != null) {
      prepared.gradientsMoved();
    }
  }

  public float clip() {
    return clip;
  }

  public boolean clips() {
    return clip < Float.POSITIVE_INFINITY;
  }

  public boolean zeroes() {
    return zeroes;
  }

  public boolean averages() {
    return averages;
  }

  /// `null` where there is none.
  public HalfPrecision halfPrecision() {
    return halfPrecision;
  }

  /// Room for a sum for each chunk: made at the first use.
  public MemorySegment squareSums() {
    if (squareSums == null) {
      squareSums =
          new CollectedMemory(MemoryKind.TABLES)
              .allocate(ValueLayout.JAVA_DOUBLE, Math.max(1, chunks()));
    }
    return squareSums;
  }

  /// The chunks of all rows.
  public long chunks() {
    return firstChunks[rows.size()];
  }

  /// The chunks of all rows before this one; after the last row, of all rows.
  public long firstChunk(int row) {
    return firstChunks[row];
  }

  /// Keeps the sum of a chunk, which starts at an element of a row.
  public void setSquareSum(int row, long start, double sum) {
    squareSums.setAtIndex(ValueLayout.JAVA_DOUBLE, firstChunks[row] + start / WorkSplit.CHUNK, sum);
  }

  /// Adds the chunks' sums, in their order, to a number.
  public double addSquareSums(double before) {
    double sum = before;
    for (long i = 0; i < chunks(); i++) {
      sum += squareSums.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
    }
    return sum;
  }

  /// Coefficients for the rows that follow; the caller fills them in.
  public Coefficients nextCoefficients() {
    if (usedSlots == coefficients.size()) {
      coefficients.add(new Coefficients());
    }
    return coefficients.get(usedSlots++);
  }

  /// Gives a row the coefficients that were asked for last.
  ///
  /// @throws IllegalStateException if none were asked for since [#begin]
  public void assign(int row) {
    if (usedSlots == 0) {
      throw new IllegalStateException("row " + row + " has no coefficients to be given");
    }
    slots[row] = usedSlots - 1;
  }

  /// Takes over what another plan's step is made with.
  ///
  /// @param parts which of its rows the rows of this one are parts of
  public void follow(StepPlan whole, List<OffloadedSlices.Part> parts) {
    decay = whole.decay;
    clip = whole.clip;
    usedSlots = 0;
    int last = -1;
    for (int i = 0; i < slots.length; i++) {
      int slot = whole.slots[parts.get(i).row()];
      if (slot != last) {
        if (usedSlots == coefficients.size()) {
          coefficients.add(null);
        }
        coefficients.set(usedSlots++, whole.coefficients.get(slot));
        last = slot;
      }
      slots[i] = usedSlots - 1;
    }
  }

  /// Checks that all memory is alive and open to this thread.
  ///
  /// @throws IllegalStateException if an arena has been closed; the message names the stream
  /// @throws WrongThreadException if an arena is confined to another thread
  public void requireAlive() {
    for (ArenaHold hold : holds) {
      hold.requireAlive();
    }
  }

  public List<Row> rows() {
    return rows;
  }

  /// Where a row's gradient is now; its [Row#gradient] is where it was when the plan was made.
  public MemorySegment gradient(int row) {
    return gradients[row];
  }

  public States states(int row) {
    return states[row];
  }

  public ArenaHold[] holds() {
    return holds;
  }

  /// Whether some memory is open to one thread only, which then has to do all of the work in Java.
  public boolean confined() {
    return confined;
  }

  /// The elements of all rows before this one; after the last row, of all rows.
  public long offset(int row) {
    return offsets[row];
  }

  /// The elements of all rows.
  public long elements() {
    return offsets[rows.size()];
  }

  /// The threads that were last asked to help with these rows: idle ones, of which each may or may
  /// not have come in time.
  public int helpers() {
    int most = parallelChunks.helpers();
    if (nativeTable != null) {
      for (NativeTable.Call call : nativeTable.calls()) {
        most = Math.max(most, call.helpers);
      }
    }
    return most;
  }

  public int slot(int row) {
    return slots[row];
  }

  public int usedSlots() {
    return usedSlots;
  }

  public Coefficients coefficients(int slot) {
    return coefficients.get(slot);
  }

  public ParallelChunks parallelChunks() {
    return parallelChunks;
  }

  /// The form that native code reads; made at the first use.
  public NativeTable nativeTable() {
    if (nativeTable == null) {
      nativeTable = new NativeTable(this);
    }
    return nativeTable;
  }

  /// What a backend has made for this plan, beside what the garbage collector frees.
  public interface Prepared extends AutoCloseable {
    /// The rows' gradients lie elsewhere now. Throws nothing: what may fail is for the next step.
    void gradientsMoved();

    @Override
    void close();
  }

  public Prepared prepared() {
    return prepared;
  }

  public boolean isPreparedBy(Backend backend) {
    return preparedBy == backend;
  }

  /// Keeps what a backend has made, in the place of what was made before.
  public void keep(Backend maker, Prepared made) {
    close();
    preparedBy = maker;
    prepared = made;
  }

  /// Gives what a backend has made back to it, which is then not closed with this plan; what
  /// another one has made, perhaps for another stream, is of no use to it and freed.
  ///
  /// @return `null` where there is nothing to be given
  public Prepared giveAwayTo(Backend maker) {
    if (preparedBy != maker) {
      close();
      return null;
    }
    return giveAway();
  }

  private Prepared giveAway() {
    Prepared given = prepared;
    preparedBy = null;
    prepared = null;
    return given;
  }

  /// Frees what a GPU holds for this plan. Whoever makes steps with it all the same makes it anew.
  @Override
  public void close() {
    Prepared closed = giveAway();
    if (closed != null) {
      closed.close();
    }
  }

  /// Updates a chunk: `length` elements of a row from `start` on.
  public interface ChunkUpdate {
    void update(StepPlan plan, int row, long start, int length);
  }

  /// Updates the chunks that start in `[begin, end)`, elements counted over all rows. Where chunks
  /// lie does not depend on how the work is shared.
  public void updateChunks(long begin, long end, ChunkUpdate chunkUpdate) {
    for (int row = rowAt(begin); row < rows.size() && offsets[row] < end; row++) {
      long size = rows.get(row).size();
      long skipped = Math.ceilDiv(Math.max(0, begin - offsets[row]), (long) WorkSplit.CHUNK);
      for (long start = skipped * WorkSplit.CHUNK;
          start < size && offsets[row] + start < end;
          start += WorkSplit.CHUNK) {
        chunkUpdate.update(this, row, start, (int) Math.min(WorkSplit.CHUNK, size - start));
      }
    }
  }

  /// The last row that starts at or before an element.
  private int rowAt(long element) {
    int low = 0;
    int high = rows.size();
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (offsets[middle] <= element) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
