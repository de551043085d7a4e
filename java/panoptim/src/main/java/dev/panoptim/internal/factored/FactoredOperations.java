package dev.panoptim.internal.factored;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;

/// Sums over the rows and columns of a matrix, and its product with factors of rows and columns.
/// The matrix is off-heap: floats, row by row, without gaps.
///
/// The bits depend neither on the engine nor on the number of threads; `panoptim_factored` has the
/// definition. Sums are computed in double. Sums of a row's chunks are added in order, and so are
/// sums of a column's blocks.
///
/// An operation of native code keeps the arenas of its operands open; the caller keeps the
/// workspace open. If an operand is confined to the calling thread, that thread works alone. Not
/// thread-safe. Calls allocate nothing, except that the Vector API may allocate vectors that
/// HotSpot does not inline.
public abstract class FactoredOperations {
  /// Inherits nothing: it would keep the class loader of the first calling thread.
  private static final Thread OTHER_THREAD =
      Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});

  protected final FactoredShape shape;
  private final int threads;
  private final boolean confinedWorkspace;
  private final MemorySegment rowSums;
  private final MemorySegment columnSums;
  private final MemorySegment squares;
  private final MemorySegment rowFactors;
  private final MemorySegment columnFactors;
  private final FactoredCall call = new FactoredCall();

  /// @param workspace off-heap memory of at least [FactoredShape#workspaceBytes], aligned to
  ///   [Workspaces#ALIGNMENT]. Objects that are not used at the same time may share it
  /// @param threads the most threads of an operation, including the calling one; from 1 on
  /// @throws IllegalArgumentException if the workspace is too small, misaligned, read-only or on
  ///   the heap
  protected FactoredOperations(FactoredShape shape, MemorySegment workspace, int threads) {
    Workspaces.require(workspace, shape.workspaceBytes());
    this.shape = shape;
    this.threads = threads;
    confinedWorkspace = isConfined(workspace);
    long at = 0;
    rowSums = workspace.asSlice(at, shape.rowSumBytes());
    at += Workspaces.aligned(shape.rowSumBytes());
    columnSums = workspace.asSlice(at, shape.columnSumBytes());
    at += Workspaces.aligned(shape.columnSumBytes());
    squares = workspace.asSlice(at, shape.squareBytes());
    at += Workspaces.aligned(shape.squareBytes());
    rowFactors = workspace.asSlice(at, shape.rowFactorBytes());
    at += Workspaces.aligned(shape.rowFactorBytes());
    columnFactors = workspace.asSlice(at, shape.columnFactorBytes());
  }

  /// Runs an operation on a matrix with elements; returns when every thread is done.
  ///
  /// @param most the most threads that take part, including the calling one
  protected abstract void run(FactoredCall operation, int most);

  public final FactoredShape shape() {
    return shape;
  }

  /// The memory of the sums of each row's chunks, as doubles.
  protected final MemorySegment rowSums() {
    return rowSums;
  }

  /// The memory of the sums of each block's columns, as doubles.
  protected final MemorySegment columnSums() {
    return columnSums;
  }

  /// The memory of the sums of the squares of a result's chunks, as doubles.
  protected final MemorySegment squares() {
    return squares;
  }

  /// The memory of the rows' factors, as floats.
  protected final MemorySegment rowFactors() {
    return rowFactors;
  }

  /// The memory of the columns' factors, as floats.
  protected final MemorySegment columnFactors() {
    return columnFactors;
  }

  /// Sums `(scale * x)^2 + addend` over each row, and over each column if the shape has columns.
  public final void sum(float scale, double addend, MemorySegment matrix) {
    call.begin(FactoredOperation.SUMS);
    call.matrix = require("matrix", matrix, false);
    call.columns = shape.hasColumns();
    call.squares = false;
    call.scale = scale;
    call.addend = addend;
    runCall();
    if (shape.hasColumns()) {
      addBlocks();
    }
  }

  /// Adds the sums of all blocks to the first one's.
  private void addBlocks() {
    long sums = shape.blocks() * shape.columns();
    for (long at = shape.columns(); at < sums; at += shape.columns()) {
      for (long column = 0; column < shape.columns(); column++) {
        double sum =
            columnSums.getAtIndex(JAVA_DOUBLE, column)
                + columnSums.getAtIndex(JAVA_DOUBLE, at + column);
        columnSums.setAtIndex(JAVA_DOUBLE, column, sum);
      }
    }
  }

  /// The sum of a row by the last [#sum]. The matrix has elements.
  public final double rowSum(long row) {
    long chunks = shape.rowChunks();
    double sum = rowSums.getAtIndex(JAVA_DOUBLE, row * chunks);
    for (long chunk = 1; chunk < chunks; chunk++) {
      sum += rowSums.getAtIndex(JAVA_DOUBLE, row * chunks + chunk);
    }
    return sum;
  }

  /// The sum of a column by the last [#sum]. The matrix has elements, and the shape has columns.
  public final double columnSum(long column) {
    return columnSums.getAtIndex(JAVA_DOUBLE, column);
  }

  /// Sets the factor of a row, rounded to float.
  public final void setRowFactor(long row, double factor) {
    rowFactors.setAtIndex(JAVA_FLOAT, row, (float) factor);
  }

  /// Sets the factor of a column, rounded to float. The shape has columns.
  public final void setColumnFactor(long column, double factor) {
    columnFactors.setAtIndex(JAVA_FLOAT, column, (float) factor);
  }

  /// Sets `result = scale * x * min(row factor * column factor, most)`. The shape has columns, and
  /// all factors have been set.
  ///
  /// @param most above 0, or infinity
  /// @param result may be the same memory as the matrix, and must not overlap it otherwise
  /// @return the sum of the squares of the result, NaN if one is NaN
  public final double scale(float scale, float most, MemorySegment matrix, MemorySegment result) {
    if (!shape.hasColumns()) {
      throw new IllegalStateException("the shape has no columns: " + shape);
    }
    return scale(true, scale, most, matrix, result);
  }

  /// Sets `result = scale * x * row factor`. All factors of rows have been set.
  ///
  /// @param result may be the same memory as the matrix, and must not overlap it otherwise
  public final void scaleRows(float scale, MemorySegment matrix, MemorySegment result) {
    scale(false, scale, Float.POSITIVE_INFINITY, matrix, result);
  }

  private double scale(
      boolean columns, float scale, float most, MemorySegment matrix, MemorySegment result) {
    call.begin(FactoredOperation.SCALE);
    call.matrix = require("matrix", matrix, false);
    call.result = require("result", result, true);
    requireSameOrApart(matrix, result);
    call.columns = columns;
    call.squares = columns;
    call.scale = scale;
    call.most = most;
    runCall();
    return columns ? sumOfSquares() : 0;
  }

  /// Updates a state that has an element for each one of the matrix, and divides by its root: with
  /// x times `scale`, `state = fma(take, fma(x, x, addend) - state, state)` and `result = x /
  /// sqrt(max(state, least))`.
  ///
  /// @param result may be the same memory as the matrix. Operands do not overlap otherwise
  /// @return the sum of the squares of the result, NaN if one is NaN
  public final double updateElements(
      float scale,
      float take,
      float addend,
      float least,
      MemorySegment matrix,
      MemorySegment state,
      MemorySegment result) {
    call.begin(FactoredOperation.VECTOR);
    call.matrix = require("matrix", matrix, false);
    call.state = require("state", state, true);
    call.result = require("result", result, true);
    requireSameOrApart(matrix, result);
    requireApart("state", state, "matrix", matrix);
    requireApart("state", state, "result", result);
    call.columns = false;
    call.squares = true;
    call.scale = scale;
    call.take = take;
    call.addend = addend;
    call.least = least;
    runCall();
    return sumOfSquares();
  }

  private MemorySegment require(String name, MemorySegment memory, boolean written) {
    return TensorChecks.require(name, shape.elements(), memory, written);
  }

  private static void requireSameOrApart(MemorySegment matrix, MemorySegment result) {
    if (matrix.address() != result.address()) {
      requireApart("matrix", matrix, "result", result);
    }
  }

  private static void requireApart(String name, MemorySegment a, String other, MemorySegment b) {
    if (Math.abs(a.address() - b.address()) < a.byteSize()) {
      throw new IllegalArgumentException(name + " and " + other + " overlap");
    }
  }

  private void runCall() {
    try {
      if (shape.elements() > 0) {
        boolean confined =
            confinedWorkspace
                || isConfined(call.matrix)
                || isConfined(call.result)
                || isConfined(call.state);
        run(call, confined ? 1 : threads);
      }
    } finally {
      call.clear();
    }
  }

  private static boolean isConfined(MemorySegment memory) {
    return memory != null && !memory.isAccessibleBy(OTHER_THREAD);
  }

  private double sumOfSquares() {
    double sum = 0;
    for (long chunk = 0; chunk < shape.chunks(); chunk++) {
      sum += squares.getAtIndex(JAVA_DOUBLE, chunk);
    }
    return Double.isNaN(sum) ? Double.NaN : sum;
  }
}
