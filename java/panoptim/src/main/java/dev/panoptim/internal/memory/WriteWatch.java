package dev.panoptim.internal.memory;

import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;

/// Records which ranges of GPU memory have been written since their last copy to the host. Each
/// write by this library is noted. Other code in the process must note its writes by
/// `Parameter.dataWrittenElsewhere`.
///
/// Writes are noted at each step and from many threads, and watches are seldom created. A note
/// therefore takes no lock. If no memory is watched, it only reads one field.
///
/// Thread-safe.
public final class WriteWatch implements AutoCloseable {
  /// A range of addresses.
  ///
  /// @param memory the start
  /// @param bytes the size, 1 or more
  public record Range(MemorySegment memory, long bytes) {}

  /// All watches that are in use, in the order of their creation. Addresses of different devices
  /// differ. Each change replaces the list. The references are weak, so that the garbage collector
  /// can free the watches of optimizers that are never closed.
  private static volatile List<WeakReference<WriteWatch>> all = List.of();

  /// The ranges in the order of their addresses.
  private final long[] starts;

  private final long[] ends;

  /// For each sorted range, its index in the given list.
  private final int[] places;

  /// For each range of the given list, 1 if it has been written.
  private final AtomicIntegerArray written;

  private WriteWatch(List<Range> ranges) {
    places =
        IntStream.range(0, ranges.size())
            .boxed()
            .sorted(Comparator.comparingLong(i -> ranges.get(i).memory.address()))
            .mapToInt(Integer::intValue)
            .toArray();
    starts = Arrays.stream(places).mapToLong(i -> ranges.get(i).memory.address()).toArray();
    ends =
        Arrays.stream(places)
            .mapToLong(i -> ranges.get(i).memory.address() + ranges.get(i).bytes)
            .toArray();
    written = new AtomicIntegerArray(ranges.size());
    writeAll();
  }

  /// Watches ranges from now on. At first, all of them count as written.
  ///
  /// @param ranges disjoint ranges of 1 byte or more
  public static WriteWatch of(List<Range> ranges) {
    WriteWatch watch = new WriteWatch(ranges);
    replaceAll(watch, null);
    return watch;
  }

  /// Notes that memory has been written, or that a write has been enqueued.
  ///
  /// @param bytes the size
  public static void note(MemorySegment memory, long bytes) {
    note(memory, bytes, null);
  }

  /// Like [#note(MemorySegment, long)], but not for one watch, whose owner has written the memory.
  ///
  /// @param owner `null` for none
  public static void note(MemorySegment memory, long bytes, WriteWatch owner) {
    List<WeakReference<WriteWatch>> watches = all;
    for (int i = 0; i < watches.size(); i++) {
      WriteWatch each = watches.get(i).get();
      if (each != null && each != owner) {
        each.write(memory.address(), memory.address() + bytes);
      }
    }
  }

  /// Whether no memory is watched, so that a sequence of notes can be skipped.
  public static boolean isUnused() {
    List<WeakReference<WriteWatch>> watches = all;
    for (int i = 0; i < watches.size(); i++) {
      if (watches.get(i).get() != null) {
        return false;
      }
    }
    return true;
  }

  /// Replaces the list of all watches, and drops watches that the garbage collector has cleared.
  ///
  /// @param added `null` for none
  /// @param removed `null` for none
  private static synchronized void replaceAll(WriteWatch added, WriteWatch removed) {
    List<WeakReference<WriteWatch>> changed = new ArrayList<>();
    for (WeakReference<WriteWatch> each : all) {
      WriteWatch watch = each.get();
      if (watch != null && watch != removed) {
        changed.add(each);
      }
    }
    if (added != null) {
      changed.add(new WeakReference<>(added));
    }
    all = List.copyOf(changed);
  }

  private void write(long start, long end) {
    if (start == end) {
      return;
    }
    int found = Arrays.binarySearch(starts, start);
    int first = found >= 0 ? found : -found - 1;
    // The preceding range may extend into the written memory.
    for (int i = Math.max(0, first - 1); i < starts.length && starts[i] < end; i++) {
      if (ends[i] > start) {
        written.set(places[i], 1);
      }
    }
  }

  /// Counts all ranges as written.
  public void writeAll() {
    for (int i = 0; i < written.length(); i++) {
      written.set(i, 1);
    }
  }

  /// Counts a range as written.
  ///
  /// @param range as for [#takeWritten]
  public void write(int range) {
    written.set(range, 1);
  }

  /// Whether a range has been written since the last call of [#takeWritten].
  ///
  /// @param range as for [#takeWritten]
  public boolean isWritten(int range) {
    return written.get(range) != 0;
  }

  /// Whether a range has been written since the last call.
  ///
  /// @param range the number of the range in the list that [#of] was given
  public boolean takeWritten(int range) {
    return written.getAndSet(range, 0) != 0;
  }

  /// Ends the watch. Closing twice has no effect.
  @Override
  public void close() {
    replaceAll(null, this);
  }
}
