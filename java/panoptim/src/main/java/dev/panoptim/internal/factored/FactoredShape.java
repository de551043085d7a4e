package dev.panoptim.internal.factored;

import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.parallel.WorkSplit;

/// The shape of a matrix, and what is computed of it.
///
/// Immutable and thread-safe.
///
/// @param rows 0 or more
/// @param columns 0 or more
/// @param hasColumns whether columns are summed and have factors. Without them, the workspace is
///   smaller
public record FactoredShape(long rows, long columns, boolean hasColumns) {
  /// The rows whose terms are added to one sum of a column. A test compares it with
  /// `PANOPTIM_FACTORED_BLOCK`.
  public static final int BLOCK = 64;

  /// @throws IllegalArgumentException if a number is below 0, or the matrix has more than 2^54
  ///   elements
  public FactoredShape {
    if (rows < 0 || columns < 0) {
      throw new IllegalArgumentException(
          "rows is %s and columns is %s, but must be 0 or more".formatted(rows, columns));
    }
    if ((double) rows * columns > 0x1p54) {
      throw new IllegalArgumentException(
          "a matrix of %s x %s has more than 2^54 elements".formatted(rows, columns));
    }
  }

  /// A vector, which is one row.
  public static FactoredShape vector(long size) {
    return new FactoredShape(1, size, false);
  }

  public long elements() {
    return rows * columns;
  }

  /// The chunks of a row.
  public long rowChunks() {
    return Math.ceilDiv(columns, (long) WorkSplit.CHUNK);
  }

  /// The blocks of a column.
  public long blocks() {
    return Math.ceilDiv(rows, (long) BLOCK);
  }

  /// The chunks of the whole matrix.
  public long chunks() {
    return Math.ceilDiv(elements(), (long) WorkSplit.CHUNK);
  }

  long rowSumBytes() {
    return rows * rowChunks() * Double.BYTES;
  }

  long columnSumBytes() {
    return hasColumns ? blocks() * columns * Double.BYTES : 0;
  }

  long squareBytes() {
    return chunks() * Double.BYTES;
  }

  long rowFactorBytes() {
    return rows * Float.BYTES;
  }

  long columnFactorBytes() {
    return hasColumns ? columns * Float.BYTES : 0;
  }

  /// The bytes of the workspace of [FactoredOperations].
  public long workspaceBytes() {
    return Workspaces.aligned(rowSumBytes())
        + Workspaces.aligned(columnSumBytes())
        + Workspaces.aligned(squareBytes())
        + Workspaces.aligned(rowFactorBytes())
        + Workspaces.aligned(columnFactorBytes());
  }
}
