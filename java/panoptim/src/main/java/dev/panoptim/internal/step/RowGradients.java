package dev.panoptim.internal.step;

import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Where the gradients of a group's rows are now. They are the one part of the rows' memory that
/// may move between steps without a new build of rows.
///
/// Not thread-safe.
final class RowGradients {
  private final Rows rows;
  private MemorySegment[] now;

  /// Gradients that have been checked and may take the place of those; else `null`.
  private MemorySegment[] candidates;

  RowGradients(Rows rows) {
    this.rows = rows;
    now = rows.list().stream().map(Row::gradient).toArray(MemorySegment[]::new);
    candidates = new MemorySegment[rows.count()];
  }

  MemorySegment at(int row) {
    return now[row];
  }

  /// Checks that all gradients can be written.
  ///
  /// @throws IllegalArgumentException if one is read-only
  void requireWritable() {
    for (int i = 0; i < now.length; i++) {
      Row row = rows.get(i);
      TensorChecks.require(
          rows.device(), "gradient of '" + row.name() + "'", row.size(), now[i], true);
    }
  }

  /// Whether some segments can become the rows' gradients, as far as these rows alone can tell. If
  /// so, keeps them for [#adopt].
  ///
  /// @param written whether steps write gradients
  boolean accept(MemorySegment[] moved, boolean written) {
    if (moved.length != now.length) {
      return false;
    }
    for (int i = 0; i < moved.length; i++) {
      // The segment that is checked must be the one that is kept, whatever the caller does
      // meanwhile.
      MemorySegment candidate = moved[i];
      if (candidate == null || candidate != now[i] && !couldBe(i, candidate, written)) {
        return false;
      }
      candidates[i] = candidate;
    }
    return true;
  }

  private boolean couldBe(int row, MemorySegment candidate, boolean written) {
    return candidate.scope().equals(now[row].scope())
        && TensorChecks.areFloats(rows.device(), rows.size(row), candidate)
        && !(written && candidate.isReadOnly());
  }

  MemorySegment candidate(int row) {
    return candidates[row];
  }

  /// Drops what has been accepted, so that its memory can be collected.
  void drop() {
    Arrays.fill(candidates, null);
  }

  /// Makes what has been accepted the gradients. Allocates nothing and cannot fail.
  void adopt() {
    MemorySegment[] before = now;
    now = candidates;
    candidates = before;
    drop();
  }
}
