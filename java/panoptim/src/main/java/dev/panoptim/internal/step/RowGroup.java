package dev.panoptim.internal.step;

import java.util.List;

/// The rows of one group and their common format. Groups may have different rules.
///
/// Immutable.
///
/// @param internalData whether the data are memory of the optimizer, which other groups may use too
/// @param internalGradients whether the gradients are memory of the optimizer that other rows
///   write: these may overlap the data of those rows
record RowGroup(RowFormat format, List<Row> rows, boolean internalData, boolean internalGradients) {
  RowGroup {
    // The list that is checked must be the one that is kept, whatever the caller does meanwhile.
    rows = List.copyOf(rows);
  }

  RowGroup(RowFormat format, List<Row> rows) {
    this(format, rows, false, false);
  }
}
