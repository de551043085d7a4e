package dev.panoptim.internal.cuda;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.memory.WriteWatch;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// A copy of the data of a plan's parameters in pinned host memory, where they are updated. It
/// records which of its parts are out of date. A part is out of date if its data on the GPU have
/// been written by other work than the updates.
///
/// A new plan may take over the copy of the plan before. Parts of the copy that belong to the same
/// addresses on the GPU in both plans stay up to date.
///
/// Not thread-safe.
final class MasterCopy implements AutoCloseable {
  private final OwnedArena arena =
      OwnedArena.of(MemoryKind.TABLES, Origin.here("an optimizer's master copy for a GPU"));
  private final MemorySegment memory;

  /// The copies that fill this memory, in the order of their places in it.
  private List<CopyRun> runs = List.of();

  /// Watches the runs' data on the GPU.
  private WriteWatch watch = WriteWatch.of(List.of());

  MasterCopy(Device device, long elements) {
    try {
      memory = device.allocatePinned(elements * Float.BYTES, arena);
    } catch (Throwable e) {
      CloseAll.after(e, List.of(this::close));
      throw e;
    }
  }

  boolean hasRoomFor(long elements) {
    return memory.byteSize() >= elements * Float.BYTES;
  }

  /// The data from an element of the plan on.
  ///
  /// @param start counted over all rows
  MemorySegment from(long start) {
    return memory.asSlice(start * Float.BYTES);
  }

  /// Sets the copies that fill this memory from now on.
  ///
  /// @param next in the order of their places
  void fillBy(List<CopyRun> next) {
    List<WriteWatch.Range> ranges = new ArrayList<>();
    next.forEach(run -> ranges.add(new WriteWatch.Range(run.gpu(), run.bytes())));
    WriteWatch fresh = WriteWatch.of(ranges);
    int first = 0;
    for (int i = 0; i < next.size(); i++) {
      while (first < runs.size() && end(runs.get(first)) <= start(next.get(i))) {
        first++;
      }
      // The new watch is reset before the old watch is read. A write between these two calls is
      // noted in both watches.
      fresh.takeWritten(i);
      if (!isUpToDate(next.get(i), first)) {
        fresh.write(i);
      }
    }
    watch.close();
    watch = fresh;
    runs = List.copyOf(next);
  }

  /// Whether all bytes of a run have been copied by the present runs from the same addresses, and
  /// have not been written since.
  ///
  /// @param from the first present run that may overlap it
  private boolean isUpToDate(CopyRun next, int from) {
    long at = start(next);
    for (int i = from; at < end(next); i++) {
      if (i == runs.size()
          || start(runs.get(i)) > at
          || distance(runs.get(i)) != distance(next)
          || watch.isWritten(i)) {
        return false;
      }
      at = end(runs.get(i));
    }
    return true;
  }

  private static long start(CopyRun run) {
    return run.host().address();
  }

  private static long end(CopyRun run) {
    return start(run) + run.bytes();
  }

  private static long distance(CopyRun run) {
    return run.gpu().address() - run.host().address();
  }

  /// Whether a run must be copied to the host because it is out of date. The caller copies it, and
  /// from now on it counts as up to date.
  ///
  /// @param run the number of the run
  boolean takeOutdated(int run) {
    return watch.takeWritten(run);
  }

  /// Counts all runs as out of date.
  void outdate() {
    watch.writeAll();
  }

  /// The watch that counts all writes except the writes of the updates.
  WriteWatch watch() {
    return watch;
  }

  @Override
  public void close() {
    CloseAll.all(List.of(watch::close, arena::close));
  }
}
