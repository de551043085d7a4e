package dev.panoptim.internal.step;

import java.util.List;

/// The rows of one group and their common format. Groups may have different rules.
///
/// Immutable.
record RowGroup(RowFormat format, List<Row> rows) {
  RowGroup {
    // The list that is checked must be the one that is kept, whatever the caller does meanwhile.
    rows = List.copyOf(rows);
  }
}
