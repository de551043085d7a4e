package dev.panoptim.internal.factored;

import java.lang.foreign.MemorySegment;

/// The operands and numbers of one operation, which `panoptim_factored` defines. An object is used
/// again for each call, so that calls allocate nothing.
///
/// Not thread-safe. Helpers read it during an operation only.
public final class FactoredCall {
  public FactoredOperation operation;
  public MemorySegment matrix;

  /// `null` for sums.
  public MemorySegment result;

  /// `null`, except for [FactoredOperation#VECTOR].
  public MemorySegment state;

  /// Whether the operation uses columns: their sums, or their factors.
  public boolean columns;

  /// Whether the squares of the result are summed.
  public boolean squares;

  public double addend;
  public float scale;
  public float most;
  public float take;
  public float least;

  FactoredCall() {}

  /// Begins an operation, without the operands that a refused one may have left.
  void begin(FactoredOperation begun) {
    clear();
    operation = begun;
  }

  /// Forgets the operands, so that they can be collected.
  void clear() {
    matrix = null;
    result = null;
    state = null;
  }
}
