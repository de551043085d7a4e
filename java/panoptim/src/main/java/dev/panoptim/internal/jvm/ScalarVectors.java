package dev.panoptim.internal.jvm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.parallel.Lanes;
import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.MemorySegment;

/// Operations on vectors in plain Java, one element at a time.
final class ScalarVectors implements VectorKernels {
  static final ScalarVectors INSTANCE = new ScalarVectors();

  private static final int LANES = WorkSplit.LANES;

  private ScalarVectors() {}

  @Override
  public double dot(MemorySegment x, MemorySegment y, long start, int length) {
    double[] sums = new double[LANES];
    for (int i = 0; i < length; i++) {
      // The product of two floats is exact in double.
      sums[i % LANES] +=
          (double) x.getAtIndex(JAVA_FLOAT, start + i) * y.getAtIndex(JAVA_FLOAT, start + i);
    }
    return Lanes.sumInHalves(sums);
  }

  @Override
  public double sumAbsolute(MemorySegment x, long start, int length) {
    double[] sums = new double[LANES];
    for (int i = 0; i < length; i++) {
      sums[i % LANES] += Math.abs(x.getAtIndex(JAVA_FLOAT, start + i));
    }
    return Lanes.sumInHalves(sums);
  }

  @Override
  public float largest(MemorySegment x, long start, int length) {
    float largest = 0;
    for (int i = 0; i < length; i++) {
      // NaN if either is NaN.
      largest = Math.max(largest, Math.abs(x.getAtIndex(JAVA_FLOAT, start + i)));
    }
    return largest;
  }

  @Override
  public void add(
      float factor,
      MemorySegment x,
      MemorySegment y,
      MemorySegment result,
      long start,
      int length) {
    for (long i = start; i < start + length; i++) {
      float sum = Math.fma(factor, x.getAtIndex(JAVA_FLOAT, i), y.getAtIndex(JAVA_FLOAT, i));
      result.setAtIndex(JAVA_FLOAT, i, canonical(sum));
    }
  }

  @Override
  public void scale(float factor, MemorySegment x, MemorySegment result, long start, int length) {
    for (long i = start; i < start + length; i++) {
      result.setAtIndex(JAVA_FLOAT, i, canonical(factor * x.getAtIndex(JAVA_FLOAT, i)));
    }
  }

  private static float canonical(float x) {
    return Float.isNaN(x) ? Float.NaN : x;
  }
}
