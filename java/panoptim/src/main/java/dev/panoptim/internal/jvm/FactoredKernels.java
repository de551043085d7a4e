package dev.panoptim.internal.jvm;

import dev.panoptim.internal.factored.FactoredCall;
import java.lang.foreign.MemorySegment;

/// Loops of factored second moments over consecutive elements of one row, or of one chunk.
/// `PANOPTIM_FACTORED_...` describes each one. Starts are numbers of elements.
///
/// Thread-safe.
interface FactoredKernels {
  /// The sum of the terms of a chunk.
  double sum(FactoredCall call, long start, int length);

  /// Also adds each term to the sum of its column.
  ///
  /// @param columns doubles
  /// @param first the first of these columns
  double add(FactoredCall call, long start, int length, MemorySegment columns, long first);

  void scale(FactoredCall call, float factor, long start, int length);

  /// @param columns the columns' factors, as floats
  /// @param first the first of these columns
  void scaleColumns(
      FactoredCall call, float row, long start, int length, MemorySegment columns, long first);

  void updateElements(FactoredCall call, long start, int length);

  /// The sum of the squares of the result.
  double squares(FactoredCall call, long start, int length);
}
