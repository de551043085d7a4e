package dev.panoptim.internal.step;

import java.lang.foreign.MemorySegment;

/// Steps over some rows of a table, on one backend. All of them reach the same bits.
///
/// Not thread-safe.
public abstract class TableKernel {
  protected final TableLayout layout;

  protected TableKernel(TableLayout layout) {
    this.layout = layout;
  }

  /// Makes a step over the rows of a batch: each row first makes the steps that it missed, if rows
  /// of this table do, and then this one with the sum of its gradients, if it has any.
  ///
  /// @param gradients the gradients of the batch, `width` floats each; checked by the caller
  /// @param values of this step
  /// @param threads the most threads that take part, including the calling one
  /// @throws IllegalStateException if an arena has been closed; no row has changed. If another
  ///   thread closes that of the gradients during a step in Java, each row is as before or after
  ///   the step
  /// @throws WrongThreadException if an arena is confined to another thread; no row has changed
  public abstract void step(
      TableBatch batch, MemorySegment gradients, TableValues values, int threads);
}
