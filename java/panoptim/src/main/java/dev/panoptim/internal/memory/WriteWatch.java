package dev.panoptim.internal.memory;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;

/// Finds out which ranges of GPU memory have been written, so that copies of them on the host are
/// made anew. Each write by this library is noted. Other code in the process must note its writes
/// by `Parameter.dataWrittenElsewhere`.
///
/// Thread-safe.
public final class WriteWatch implements AutoCloseable {
  /// A range of addresses.
  ///
  /// @param memory the start
  /// @param bytes the size, 1 or more
  public record Range(MemorySegment memory, long bytes) {}

  /// All watches that are in use. Addresses of different devices differ.
  private static final Set<WriteWatch> ALL =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

  /// The ranges in the order of their addresses.
  private final long[] starts;

  private final long[] ends;

  /// For each of these, the range's place in the given list.
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
    ALL.add(watch);
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
    synchronized (ALL) {
      for (WriteWatch each : ALL) {
        if (each != owner) {
          each.write(memory.address(), memory.address() + bytes);
        }
      }
    }
  }

  /// Whether no memory is watched.
  public static boolean isUnused() {
    return ALL.isEmpty();
  }

  private void write(long start, long end) {
    if (start == end) {
      return;
    }
    int found = Arrays.binarySearch(starts, start);
    int first = found >= 0 ? found : -found - 1;
    // The range before may reach into the written memory.
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

  /// Whether a range has been written since the last call.
  ///
  /// @param range the number of the range in the list that [#of] was given
  public boolean takeWritten(int range) {
    return written.getAndSet(range, 0) != 0;
  }

  /// Ends the watch. Closing twice has no effect.
  @Override
  public void close() {
    ALL.remove(this);
  }
}
