package dev.panoptim.internal.cuda;

import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.WriteWatch;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.RowFormat;
import dev.panoptim.internal.step.Rows;
import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// A plan over GPU memory, cut into slices that the CPU updates one after the other. Each slice is
/// a plan over one of the [OffloadSlots]. While one slice is updated, the next ones are copied to
/// the host and the previous one is copied back.
///
/// Slices begin and end at chunk boundaries, so that sums of squares keep their order.
///
/// Not thread-safe.
final class OffloadedSlices extends Prepared {
  /// The elements of a slice. A slice is so large that starting a copy costs little in comparison,
  /// and so small that all slots fit into the CPU's last-level cache.
  private static final long MOST_ELEMENTS = 1L << 20;

  /// The work on a slice that has arrived.
  interface Work {
    void on(StepPlan slice, List<Part> parts);
  }

  /// Consecutive elements of a row of the whole plan.
  ///
  /// @param row the row of the whole plan
  /// @param start the first element
  /// @param length the number of elements
  /// @param at the position of the first element in a slot
  record Part(int row, long start, long length, long at) {}

  /// @param firstRun the number of runs of data in the slices before
  private record Slice(
      StepPlan plan,
      List<Part> parts,
      int[] wholeRows,
      int firstRun,
      List<CopyRun> data,
      List<CopyRun> gradients,
      List<CopyRun> halfPrecisionCopies) {}

  private final StepPlan whole;
  private final Rows wholeRows;
  private final Device device;
  private final DeviceAccess access = DeviceAccess.get();

  /// The stream that computes the gradients.
  private final DeviceStream producer;

  /// `null` if other slices have taken over the slots.
  private OffloadSlots slots;

  /// The data of all rows in order; `null` if each step copies the data to the host, or if other
  /// slices have taken over the copy.
  private MasterCopy master;

  private final List<Slice> slices = new ArrayList<>();

  /// The elements and the runs of data that have been cut into slices so far.
  private long cutElements;

  private int cutRuns;

  /// Whether the copies still read the gradients' previous addresses.
  private boolean gradientsMoved;

  /// @param keepsData whether there is a master copy on the host, so that data are copied to the
  ///   host only if other work has written them
  /// @param before slices that are no longer used; these slices may take over their memory. `null`
  ///   if there are none
  OffloadedSlices(
      Engine engine,
      StepPlan whole,
      DeviceStream producer,
      Engine update,
      boolean keepsData,
      OffloadedSlices before) {
    super(engine, whole);
    this.whole = whole;
    this.producer = producer;
    wholeRows = whole.rows();
    device = wholeRows.device();
    long elements = Math.min(MOST_ELEMENTS, Math.max(1, wholeRows.elements()));
    boolean copies = wholeRows.halfPrecision() != null;
    slots = slots(before, elements, !keepsData, copies);
    try {
      if (keepsData) {
        master = master(before);
      }
      cut(elements);
      if (keepsData) {
        master.fillBy(slices.stream().flatMap(slice -> slice.data.stream()).toList());
      }
      slices.forEach(slice -> update.prepare(slice.plan, null));
    } catch (Throwable e) {
      CloseAll.after(e, List.of(this::close));
      throw e;
    }
  }

  /// Reuses the slots of other slices. Slots that are too small are freed before larger ones are
  /// allocated, since pinned memory is scarce.
  private OffloadSlots slots(
      OffloadedSlices before, long elements, boolean holdsData, boolean copies) {
    OffloadSlots taken = before == null ? null : before.slots;
    if (taken != null) {
      before.slots = null;
      if (taken.hasRoomFor(elements, holdsData, copies)) {
        return taken;
      }
      taken.close();
    }
    return new OffloadSlots(device, elements, holdsData, copies);
  }

  /// Reuses the master copy of other slices. A copy that is too small is freed before a larger one
  /// is allocated.
  private MasterCopy master(OffloadedSlices before) {
    long elements = wholeRows.elements();
    MasterCopy taken = before == null ? null : before.master;
    if (taken != null) {
      before.master = null;
      if (taken.hasRoomFor(elements)) {
        return taken;
      }
      taken.close();
    }
    return new MasterCopy(device, elements);
  }

  private void cut(long most) {
    List<Part> parts = new ArrayList<>();
    long used = 0;
    for (int row = 0; row < wholeRows.count(); row++) {
      long size = wholeRows.get(row).size();
      for (long start = 0; start < size; ) {
        long left = size - start;
        long room = most - used;
        long length = left <= room ? left : room / WorkSplit.CHUNK * WorkSplit.CHUNK;
        if (length == 0) {
          addSlice(parts);
          parts = new ArrayList<>();
          used = 0;
        } else {
          parts.add(new Part(row, start, length, used));
          used += length;
          start += length;
        }
      }
    }
    if (!parts.isEmpty()) {
      addSlice(parts);
    }
  }

  private void addSlice(List<Part> parts) {
    OffloadSlots.Slot slot = slots.slot(slices.size());
    MemorySegment here = master == null ? slot.data : master.from(cutElements);
    List<Row> rows = parts.stream().map(part -> row(part, slot, here)).toList();
    List<CopyRun> data = new ArrayList<>();
    List<CopyRun> gradients = new ArrayList<>();
    List<CopyRun> halfPrecisionCopies = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      Part part = parts.get(i);
      Row onDevice = wholeRows.get(part.row);
      Row onHost = rows.get(i);
      cutElements += part.length;
      add(data, onDevice.data(), part.start * Float.BYTES, onHost.data());
      addGradient(gradients, part, onHost.gradient());
      if (wholeRows.halfPrecision() != null) {
        add(
            halfPrecisionCopies,
            onDevice.halfPrecisionCopy(),
            part.start * Short.BYTES,
            onHost.halfPrecisionCopy());
      }
    }
    RowFormat format =
        RowFormat.onCpu(wholeRows.rule(), wholeRows.averages(), wholeRows.halfPrecision());
    StepPlan plan = StepPlan.of(format, List.of(rows)).getFirst();
    int[] rowOfPart = parts.stream().mapToInt(Part::row).toArray();
    slices.add(new Slice(plan, parts, rowOfPart, cutRuns, data, gradients, halfPrecisionCopies));
    cutRuns += data.size();
  }

  private void addGradient(List<CopyRun> runs, Part part, MemorySegment slot) {
    add(runs, whole.gradient(part.row), part.start * Float.BYTES, slot);
  }

  /// Adds a copy, or extends the previous copy if both are contiguous on both sides.
  private void add(List<CopyRun> runs, MemorySegment stream, long offset, MemorySegment slot) {
    // No check is needed here: the whole row was checked before.
    MemorySegment gpu = stream.reinterpret(offset).asSlice(offset, 0);
    CopyRun before = runs.isEmpty() ? null : runs.getLast();
    if (before != null
        && before.gpu().scope().equals(gpu.scope())
        && before.gpu().address() + before.bytes() == gpu.address()
        && before.host().address() + before.bytes() == slot.address()
        && access.areOneAllocation(device, before.gpu(), before.bytes() + slot.byteSize())) {
      long bytes = before.bytes() + slot.byteSize();
      runs.set(runs.size() - 1, new CopyRun(before.gpu(), before.host().reinterpret(bytes)));
    } else {
      runs.add(new CopyRun(gpu, slot));
    }
  }

  /// @param data the data of the slice
  private Row row(Part part, OffloadSlots.Slot slot, MemorySegment data) {
    Row row = wholeRows.get(part.row);
    return new Row(
        row.name(),
        part.length,
        floats(data, part.at, part.length),
        floats(slot.gradients, part.at, part.length),
        row.states().stream().map(state -> floats(state, part.start, part.length)).toList(),
        wholeRows.averages() ? floats(row.average(), part.start, part.length) : null,
        wholeRows.halfPrecision() == null
            ? null
            : slot.halfPrecisionCopies.asSlice(part.at * Short.BYTES, part.length * Short.BYTES));
  }

  private static MemorySegment floats(MemorySegment memory, long start, long length) {
    return memory.asSlice(start * Float.BYTES, length * Float.BYTES);
  }

  /// Copies all slices to the host, updates them, and copies the results back.
  void update(Work work) {
    for (Slice slice : slices) {
      slice.plan.values().follow(whole.values(), slice.wholeRows);
    }
    inTurn(true, true, work);
  }

  /// Copies all slices to the host for reading.
  void readAll(Work work) {
    for (Slice slice : slices) {
      slice.plan.values().follow(whole.values(), slice.wholeRows);
    }
    inTurn(true, false, work);
  }

  /// Copies the gradients to the host for reading.
  void read(Work work) {
    inTurn(false, false, work);
  }

  /// Sets the gradients to 0.
  void zeroGradients() {
    followGradients();
    access.forgetRanges(device);
    for (Slice slice : slices) {
      slice.gradients.forEach(run -> access.zeroHeld(producer, run.gpu(), run.bytes()));
    }
  }

  /// @param data whether the data are copied to the host, besides the gradients
  /// @param updates whether the results are copied back
  private void inTurn(boolean data, boolean updates, Work work) {
    followGradients();
    access.forgetRanges(device);
    try {
      copyAndWork(data, updates, work);
    } catch (RuntimeException | Error e) {
      if (master != null) {
        // Some updates may be missing on the GPU.
        master.outdate();
      }
      throw e;
    }
  }

  private void copyAndWork(boolean data, boolean updates, Work work) {
    slots.beginning.record(producer);
    slots.down.follow(slots.beginning);
    slots.up.follow(slots.beginning);
    try {
      for (int i = 0; i < Math.min(OffloadSlots.COUNT, slices.size()); i++) {
        bringDown(i, data);
      }
      for (int i = 0; i < slices.size(); i++) {
        OffloadSlots.Slot slot = slots.slot(i);
        slot.arrival.await();
        work.on(slices.get(i).plan, slices.get(i).parts);
        if (updates) {
          takeUp(i);
        }
        if (i + OffloadSlots.COUNT < slices.size()) {
          slots.down.follow(slot.departure);
          bringDown(i + OffloadSlots.COUNT, data);
        }
      }
    } catch (RuntimeException | Error e) {
      // No copy may still run when the caller reuses its memory.
      slots.awaitAfter(e);
      throw e;
    }
    slots.await();
  }

  private void bringDown(int index, boolean data) {
    Slice slice = slices.get(index);
    slice.gradients.forEach(this::down);
    for (int i = 0; data && i < slice.data.size(); i++) {
      if (master == null || master.takeOutdated(slice.firstRun + i)) {
        down(slice.data.get(i));
      }
    }
    slots.slot(index).arrival.record(slots.down);
  }

  private void takeUp(int index) {
    Slice slice = slices.get(index);
    WriteWatch own = master == null ? null : master.watch();
    if (!whole.values().measuresCurvature()) {
      slice.data.forEach(run -> up(run, own));
      slice.halfPrecisionCopies.forEach(run -> up(run, null));
    }
    if (whole.values().zeroes()) {
      slice.gradients.forEach(run -> access.zeroHeld(slots.up, run.gpu(), run.bytes()));
    }
    slots.slot(index).departure.record(slots.up);
  }

  private void down(CopyRun run) {
    access.copyHeld(slots.down, run.gpu(), run.host(), run.bytes(), null);
  }

  /// @param owner the watch for which the write does not count; `null` for none
  private void up(CopyRun run, WriteWatch owner) {
    access.copyHeld(slots.up, run.host(), run.gpu(), run.bytes(), owner);
  }

  @Override
  public void gradientsMoved() {
    gradientsMoved = true;
  }

  private void followGradients() {
    if (gradientsMoved) {
      for (Slice slice : slices) {
        slice.gradients.clear();
        for (int i = 0; i < slice.parts.size(); i++) {
          addGradient(slice.gradients, slice.parts.get(i), slice.plan.gradient(i));
        }
      }
      gradientsMoved = false;
    }
  }

  @Override
  public int helpers() {
    return slices.stream().mapToInt(slice -> slice.plan.helpers()).max().orElse(0);
  }

  @Override
  public void close() {
    List<Runnable> parts = new ArrayList<>();
    slices.forEach(slice -> parts.add(slice.plan::close));
    if (slots != null) {
      parts.add(slots::close);
    }
    if (master != null) {
      parts.add(master::close);
    }
    CloseAll.all(parts);
  }
}
