package dev.panoptim.internal.jvm;

import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The sums of [SumOfSquares], with the same bits, on the Vector API: four vectors hold the sixteen
/// sums.
final class VectorSumOfSquares {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_128;
  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_256;
  private static final int LANES = WorkSplit.LANES;
  private static final long VECTOR_BYTES = FLOATS.vectorByteSize();
  private static final long ROUND_BYTES = 4 * VECTOR_BYTES;

  static {
    if (ROUND_BYTES != LANES * (long) Float.BYTES) {
      throw new AssertionError("four vectors do not hold " + LANES + " sums");
    }
  }

  private VectorSumOfSquares() {}

  /// On other processors, vectors of four doubles would be objects on the heap.
  private static boolean processorHasVectors() {
    return DoubleVector.SPECIES_PREFERRED.length() >= DOUBLES.length();
  }

  /// The fastest implementation for this processor.
  static ChunkUpdate sums() {
    return processorHasVectors() ? VectorSumOfSquares::sumChunk : SumOfSquares::sumChunk;
  }

  private static void sumChunk(StepPlan plan, int row, long start, int length) {
    MemorySegment gradients = plan.gradient(row);
    plan.prepared().squareSums().set(row, start, sum(gradients, start * Float.BYTES, length));
  }

  private static double sum(MemorySegment x, long begin, int length) {
    DoubleVector a = DoubleVector.zero(DOUBLES);
    DoubleVector b = a;
    DoubleVector c = a;
    DoubleVector d = a;
    long end = begin + length * (long) Float.BYTES;
    long at = begin;
    for (; at + ROUND_BYTES <= end; at += ROUND_BYTES) {
      a = a.add(squares(x, at));
      b = b.add(squares(x, at + VECTOR_BYTES));
      c = c.add(squares(x, at + 2 * VECTOR_BYTES));
      d = d.add(squares(x, at + 3 * VECTOR_BYTES));
    }
    // A sum is never -0, so the 0 beyond the end leaves it as it is.
    a = a.add(squaresUpTo(x, at, end));
    b = b.add(squaresUpTo(x, at + VECTOR_BYTES, end));
    c = c.add(squaresUpTo(x, at + 2 * VECTOR_BYTES, end));
    d = d.add(squaresUpTo(x, at + 3 * VECTOR_BYTES, end));
    DoubleVector four = a.add(c).add(b.add(d));
    return four.lane(0) + four.lane(2) + (four.lane(1) + four.lane(3));
  }

  private static DoubleVector squares(MemorySegment x, long at) {
    return squares(FloatVector.fromMemorySegment(FLOATS, x, at, ORDER));
  }

  private static DoubleVector squaresUpTo(MemorySegment x, long at, long end) {
    long left = (end - at) / Float.BYTES;
    return left <= 0
        ? DoubleVector.zero(DOUBLES)
        : squares(
            FloatVector.fromMemorySegment(FLOATS, x, at, ORDER, FLOATS.indexInRange(0, left)));
  }

  private static DoubleVector squares(FloatVector floats) {
    DoubleVector wide = (DoubleVector) floats.convertShape(VectorOperators.F2D, DOUBLES, 0);
    // A float's square fits into a double: only the sum is rounded.
    return wide.mul(wide);
  }
}
