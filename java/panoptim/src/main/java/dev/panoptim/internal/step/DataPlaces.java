package dev.panoptim.internal.step;

import dev.panoptim.internal.tensor.TensorChecks;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/// Where the data of all parameters of an optimizer lie, in the order of addresses. A step of some
/// parameters checks that no gradient overlaps the data of any parameter, without a look at each of
/// them.
///
/// Immutable and thread-safe.
final class DataPlaces {
  /// The parameters that have elements.
  private final TrackedParameter[] parameters;

  private final long[] starts;

  /// The data are disjoint, so that starts and ends are in the same order.
  private final long[] ends;

  /// @param all parameters whose data are disjoint
  DataPlaces(Collection<TrackedParameter> all) {
    parameters =
        all.stream()
            .filter(each -> each.bytes() > 0)
            .sorted(Comparator.comparingLong(each -> each.parameter.data().address()))
            .toArray(TrackedParameter[]::new);
    starts = Arrays.stream(parameters).mapToLong(each -> each.parameter.data().address()).toArray();
    ends = new long[starts.length];
    for (int i = 0; i < ends.length; i++) {
      ends[i] = starts[i] + parameters[i].bytes();
    }
  }

  /// The place of the first data that end after the start of some memory.
  private int firstBehind(long start) {
    int found = Arrays.binarySearch(ends, start);
    return found >= 0 ? found + 1 : -found - 1;
  }

  private boolean overlapsFrom(int place, long end) {
    return place < starts.length && starts[place] < end;
  }

  /// Whether some memory overlaps no data.
  ///
  /// @param from the addresses of the first bytes
  /// @param to the addresses after the last bytes, in the same order; none is empty
  /// @param count the number of pieces of memory, from the beginning of the arrays
  boolean areApart(long[] from, long[] to, int count) {
    for (int i = 0; i < count; i++) {
      if (overlapsFrom(firstBehind(from[i]), to[i])) {
        return false;
      }
    }
    return true;
  }

  /// Checks that the gradients of some rows overlap no data.
  ///
  /// @throws IllegalArgumentException if one does; the message names both
  void requireApart(List<Row> rows) {
    for (Row row : rows) {
      long bytes = row.size() * Float.BYTES;
      long start = row.gradient().address();
      int place = firstBehind(start);
      if (bytes > 0 && overlapsFrom(place, start + bytes)) {
        TrackedParameter other = parameters[place];
        TensorChecks.requireDisjoint(
            List.of(
                new TensorChecks.Named(
                    "data of '" + other.name() + "'", other.parameter.data(), other.bytes()),
                new TensorChecks.Named("gradient of '" + row.name() + "'", row.gradient(), bytes)));
      }
    }
  }
}
