package dev.panoptim.internal.step;

import dev.panoptim.device.Device;
import dev.panoptim.internal.tensor.Shapes;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// All checks of rows that keep a step from crashing native code. They are made once for each build
/// of rows; a step checks only that the memory is still alive.
final class RowChecks {
  private final List<TensorChecks.Named> operands = new ArrayList<>();

  private RowChecks() {}

  /// Checks the rows of several groups.
  ///
  /// @throws IllegalArgumentException if a segment has the wrong size, is on the heap, is not
  ///   aligned, is read-only although a step writes it, or has bytes where no memory can be; if two
  ///   segments of any groups overlap; or if a row has not one segment for each state of the rule
  /// @throws IllegalStateException if a segment's arena has been closed
  /// @throws WrongThreadException if a segment's arena is confined to another thread
  static void requireUsable(List<RowGroup> groups) {
    RowChecks checks = new RowChecks();
    groups.forEach(group -> group.rows().forEach(row -> checks.add(group, row)));
    TensorChecks.requireDisjoint(checks.operands);
  }

  private void add(RowGroup group, Row row) {
    RowFormat format = group.format();
    List<String> states = format.rule().stateNames();
    if (row.states().size() != states.size()) {
      throw new IllegalArgumentException(
          "'%s' has %s states, but must have %s"
              .formatted(row.name(), row.states().size(), states));
    }
    long size = row.size();
    add(format.device(), "data", row, row.data(), true, group.internalData());
    add(format.device(), "gradient", row, row.gradient(), false, group.internalGradients());
    row.untouched().forEach(each -> addOther(row, each));
    for (int i = 0; i < states.size(); i++) {
      String state = states.get(i);
      long stateSize = Shapes.size(row.name(), format.rule().stateShape(state, row.shape()));
      add(format.stateDevice(), state, row, stateSize, row.states().get(i), true);
    }
    if (format.averages()) {
      add(format.stateDevice(), "average", row, size, row.average(), true);
    }
    if (format.halfPrecision() != null) {
      String name = "half-precision copy of '" + row.name() + "'";
      TensorChecks.requireHalfPrecisionCopy(
          format.device(), name, row.size(), row.halfPrecisionCopy());
      operands.add(new TensorChecks.Named(name, row.halfPrecisionCopy(), row.size() * Short.BYTES));
    }
  }

  /// @param internal whether other operands may be the same memory
  private void add(
      Device device,
      String kind,
      Row row,
      MemorySegment segment,
      boolean written,
      boolean internal) {
    if (internal) {
      TensorChecks.require(device, kind + " of '" + row.name() + "'", row.size(), segment, written);
    } else {
      add(device, kind, row, row.size(), segment, written);
    }
  }

  /// Memory that the step does not use.
  private void addOther(Row row, MemorySegment segment) {
    operands.add(
        new TensorChecks.Named("a state of '" + row.name() + "'", segment, segment.byteSize()));
  }

  private void add(
      Device device, String kind, Row row, long size, MemorySegment segment, boolean written) {
    String name = kind + " of '" + row.name() + "'";
    TensorChecks.require(device, name, size, segment, written);
    TensorChecks.requireAlive(name, segment);
    operands.add(new TensorChecks.Named(name, segment, size * Float.BYTES));
  }
}
