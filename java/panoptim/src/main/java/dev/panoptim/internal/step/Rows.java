package dev.panoptim.internal.step;

import dev.panoptim.device.Device;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.rule.Rule;
import java.util.List;

/// The rows of one parameter group: a row for each parameter that has a gradient.
///
/// Built when parameters or states change place, not at every step; [RowChecks] are made then. A
/// chunk is a fixed number of elements of one row; chunks are numbered over all rows.
///
/// Immutable. Gradients may move without new rows: [RowGradients] knows where they are now.
public final class Rows {
  private final RowFormat format;
  private final List<Row> all;
  private final States[] states;
  private final long[] offsets;
  private final long[] firstChunks;
  private final ArenaHold[] holds;
  private final boolean confined;

  /// Checks and builds the rows of several groups.
  ///
  /// @throws IllegalArgumentException as [RowChecks#requireUsable]; if the rows of a group have
  ///   more than 2^63-1 elements
  /// @throws IllegalStateException as [RowChecks#requireUsable]
  /// @throws WrongThreadException as [RowChecks#requireUsable]
  static List<Rows> of(List<RowGroup> groups) {
    List<RowGroup> copies = List.copyOf(groups);
    RowChecks.requireUsable(copies);
    return copies.stream().map(Rows::new).toList();
  }

  private Rows(RowGroup group) {
    format = group.format();
    List<Row> rows = group.rows();
    all = rows;
    List<String> stateNames = format.rule().stateNames();
    states = rows.stream().map(row -> new States(stateNames, row.states())).toArray(States[]::new);
    offsets = new long[rows.size() + 1];
    firstChunks = new long[rows.size() + 1];
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
    holds = ArenaHold.of(rows);
    confined = ArenaHold.anyConfined(holds);
  }

  public RowFormat format() {
    return format;
  }

  public Rule rule() {
    return format.rule();
  }

  /// Where data, gradients and half-precision copies lie.
  public Device device() {
    return format.device();
  }

  /// Where states and averages lie.
  public Device stateDevice() {
    return format.stateDevice();
  }

  public boolean averages() {
    return format.averages();
  }

  /// `null` if the rows have no half-precision copies.
  public HalfPrecision halfPrecision() {
    return format.halfPrecision();
  }

  /// The number of rows.
  public int count() {
    return all.size();
  }

  public Row get(int row) {
    return all.get(row);
  }

  /// The elements of a row. Reads no [Row]: these are scattered in memory.
  long size(int row) {
    return offsets[row + 1] - offsets[row];
  }

  public List<Row> list() {
    return all;
  }

  public States states(int row) {
    return states[row];
  }

  /// The elements of all rows before this one; after the last row, of all rows.
  public long offset(int row) {
    return offsets[row];
  }

  /// The elements of all rows.
  public long elements() {
    return offsets[all.size()];
  }

  /// The chunks of all rows before this one; after the last row, of all rows.
  public long firstChunk(int row) {
    return firstChunks[row];
  }

  /// The chunks of all rows.
  public long chunks() {
    return firstChunks[all.size()];
  }

  /// The last row that starts at or before an element, elements counted over all rows.
  public int rowAt(long element) {
    int low = 0;
    int high = all.size();
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

  /// Whether some memory is open to one thread only. JVM backends then do all work on that thread.
  public boolean confined() {
    return confined;
  }

  /// Checks that all memory is alive and open to this thread.
  ///
  /// @throws IllegalStateException if an arena has been closed; the message names the operand
  /// @throws WrongThreadException if an arena is confined to another thread
  public void requireAlive() {
    for (ArenaHold hold : holds) {
      hold.requireAlive();
    }
  }
}
