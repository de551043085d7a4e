package dev.panoptim.device;

import java.util.Map;
import java.util.TreeMap;

/// The ranges of a GPU's memory that other code of the process has allocated, as far as CUDA has
/// been asked. A query of CUDA takes about a microsecond, and a lookup here takes a fraction of
/// that.
///
/// CUDA does not tell when such memory is freed, so that a known range may be out of date. What
/// relies on a range must therefore [#forget] first.
///
/// Thread-safe.
final class KnownRanges {
  private final int device;
  private final TreeMap<Long, Cuda.Range> known = new TreeMap<>();

  /// The range of the last lookup: neighbouring parameters are often in one range. `null` if there
  /// is none.
  private Cuda.Range last;

  KnownRanges(int device) {
    this.device = device;
  }

  /// Whether a range of addresses lies in the device's memory, as CUDA said when it was asked about
  /// each of its allocations.
  synchronized boolean holds(long address, long bytes) {
    return Cuda.Range.cover(address, bytes, device, this::rangeOf);
  }

  /// Forgets all ranges, so that CUDA is asked again.
  synchronized void forget() {
    known.clear();
    last = null;
  }

  private Cuda.Range rangeOf(long address) {
    if (last != null && last.contains(address)) {
      return last;
    }
    Map.Entry<Long, Cuda.Range> before = known.floorEntry(address);
    if (before != null && before.getValue().contains(address)) {
      last = before.getValue();
      return last;
    }
    Cuda.Range asked = Cuda.locate(address);
    if (asked.isOn(device) && asked.contains(address)) {
      known.put(asked.start(), asked);
      last = asked;
    }
    return asked;
  }
}
