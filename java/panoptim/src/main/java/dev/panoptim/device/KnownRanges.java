package dev.panoptim.device;

import java.util.Arrays;

/// The ranges of a GPU's memory that other code of the process has allocated, as far as CUDA has
/// been asked. A lookup here takes less time than a query of CUDA, and allocates nothing.
///
/// CUDA does not report when such memory is freed, so that a known range may be out of date. Code
/// that relies on a range must therefore call [#forget] first.
///
/// Thread-safe.
final class KnownRanges {
  private static final int INITIAL_CAPACITY = 16;

  private final int device;

  /// The first addresses of the known ranges, sorted.
  private long[] starts = new long[INITIAL_CAPACITY];

  /// The ranges that begin at these addresses.
  private Cuda.Range[] ranges = new Cuda.Range[INITIAL_CAPACITY];

  private int count;

  /// The range of the last lookup: neighbouring parameters are often in one range. `null` if no
  /// range is known.
  private volatile Cuda.Range last;

  KnownRanges(int device) {
    this.device = device;
  }

  /// Whether some addresses lie in one known range. CUDA is not asked.
  ///
  /// @param bytes 0 or more
  boolean surelyHold(long address, long bytes) {
    // No lock is taken here, because the lock takes longer than the comparison.
    Cuda.Range of = last;
    if (of != null && !of.contains(address)) {
      of = find(address);
    }
    return of != null && of.contains(address, bytes);
  }

  /// Whether some addresses lie in the device's memory, according to CUDA's answer for each
  /// allocation there.
  synchronized boolean holds(long address, long bytes) {
    return Cuda.Range.cover(address, bytes, device, this::rangeOf);
  }

  /// Forgets all ranges, so that CUDA is asked again.
  synchronized void forget() {
    Arrays.fill(ranges, 0, count, null);
    count = 0;
    last = null;
  }

  private Cuda.Range rangeOf(long address) {
    Cuda.Range found = find(address);
    if (found != null) {
      return found;
    }
    Cuda.Range asked = Cuda.locate(address);
    if (asked.isOn(device) && asked.contains(address)) {
      add(asked);
    }
    return asked;
  }

  /// The known range that contains an address; `null` if there is none.
  private synchronized Cuda.Range find(long address) {
    int at = Arrays.binarySearch(starts, 0, count, address);
    int before = at >= 0 ? at : -at - 2;
    if (before < 0 || !ranges[before].contains(address)) {
      return null;
    }
    last = ranges[before];
    return ranges[before];
  }

  /// Replaces an outdated range with the same start.
  private void add(Cuda.Range range) {
    int at = Arrays.binarySearch(starts, 0, count, range.start());
    if (at < 0) {
      at = -at - 1;
      if (count == starts.length) {
        starts = Arrays.copyOf(starts, 2 * count);
        ranges = Arrays.copyOf(ranges, 2 * count);
      }
      System.arraycopy(starts, at, starts, at + 1, count - at);
      System.arraycopy(ranges, at, ranges, at + 1, count - at);
      starts[at] = range.start();
      count++;
    }
    ranges[at] = range;
    last = range;
  }
}
