package dev.panoptim.internal.jvm;

import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Operations on vectors on the Vector API: four vectors of doubles hold the sixteen sums.
/// [ScalarVectors] computes the elements at the end that do not fill a vector.
final class VectorApiVectors implements VectorKernels {
  static final VectorApiVectors INSTANCE = new VectorApiVectors();

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final VectorSpecies<Float> SPECIES = VectorLoop.SPECIES;
  private static final long BYTES = SPECIES.vectorByteSize();

  /// The species of the sums.
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_128;

  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_256;
  private static final long QUARTER_BYTES = FLOATS.vectorByteSize();
  private static final long ROUND_BYTES = 4 * QUARTER_BYTES;

  static {
    if (ROUND_BYTES != WorkSplit.LANES * (long) Float.BYTES) {
      throw new AssertionError("four vectors do not hold all sums");
    }
  }

  /// On other processors, vectors of four doubles would be objects on the heap.
  private static final boolean HAS_DOUBLES =
      DoubleVector.SPECIES_PREFERRED.length() >= DOUBLES.length();

  private VectorApiVectors() {}

  @Override
  public double dot(MemorySegment x, MemorySegment y, long start, int length) {
    if (!HAS_DOUBLES) {
      return ScalarVectors.INSTANCE.dot(x, y, start, length);
    }
    DoubleVector a = DoubleVector.zero(DOUBLES);
    DoubleVector b = a;
    DoubleVector c = a;
    DoubleVector d = a;
    long end = (start + length) * Float.BYTES;
    long at = start * Float.BYTES;
    for (; at + ROUND_BYTES <= end; at += ROUND_BYTES) {
      a = a.add(doubles(x, at).mul(doubles(y, at)));
      b = b.add(doubles(x, at + QUARTER_BYTES).mul(doubles(y, at + QUARTER_BYTES)));
      c = c.add(doubles(x, at + 2 * QUARTER_BYTES).mul(doubles(y, at + 2 * QUARTER_BYTES)));
      d = d.add(doubles(x, at + 3 * QUARTER_BYTES).mul(doubles(y, at + 3 * QUARTER_BYTES)));
    }
    // A sum is never -0, so the 0 beyond the end leaves it as it is.
    a = a.add(upTo(x, at, end).mul(upTo(y, at, end)));
    at += QUARTER_BYTES;
    b = b.add(upTo(x, at, end).mul(upTo(y, at, end)));
    at += QUARTER_BYTES;
    c = c.add(upTo(x, at, end).mul(upTo(y, at, end)));
    at += QUARTER_BYTES;
    d = d.add(upTo(x, at, end).mul(upTo(y, at, end)));
    return sumInHalves(a, b, c, d);
  }

  @Override
  public double sumAbsolute(MemorySegment x, long start, int length) {
    if (!HAS_DOUBLES) {
      return ScalarVectors.INSTANCE.sumAbsolute(x, start, length);
    }
    DoubleVector a = DoubleVector.zero(DOUBLES);
    DoubleVector b = a;
    DoubleVector c = a;
    DoubleVector d = a;
    long end = (start + length) * Float.BYTES;
    long at = start * Float.BYTES;
    for (; at + ROUND_BYTES <= end; at += ROUND_BYTES) {
      a = a.add(doubles(x, at).abs());
      b = b.add(doubles(x, at + QUARTER_BYTES).abs());
      c = c.add(doubles(x, at + 2 * QUARTER_BYTES).abs());
      d = d.add(doubles(x, at + 3 * QUARTER_BYTES).abs());
    }
    a = a.add(upTo(x, at, end).abs());
    b = b.add(upTo(x, at + QUARTER_BYTES, end).abs());
    c = c.add(upTo(x, at + 2 * QUARTER_BYTES, end).abs());
    d = d.add(upTo(x, at + 3 * QUARTER_BYTES, end).abs());
    return sumInHalves(a, b, c, d);
  }

  private static double sumInHalves(
      DoubleVector a, DoubleVector b, DoubleVector c, DoubleVector d) {
    DoubleVector four = a.add(c).add(b.add(d));
    return four.lane(0) + four.lane(2) + (four.lane(1) + four.lane(3));
  }

  private static DoubleVector doubles(MemorySegment x, long at) {
    return wide(FloatVector.fromMemorySegment(FLOATS, x, at, ORDER));
  }

  private static DoubleVector upTo(MemorySegment x, long at, long end) {
    long left = (end - at) / Float.BYTES;
    return left <= 0
        ? DoubleVector.zero(DOUBLES)
        : wide(FloatVector.fromMemorySegment(FLOATS, x, at, ORDER, FLOATS.indexInRange(0, left)));
  }

  private static DoubleVector wide(FloatVector floats) {
    return (DoubleVector) floats.convertShape(VectorOperators.F2D, DOUBLES, 0);
  }

  @Override
  public float largest(MemorySegment x, long start, int length) {
    FloatVector largest = FloatVector.zero(SPECIES);
    long begin = start * Float.BYTES;
    long whole = begin + (long) SPECIES.loopBound(length) * Float.BYTES;
    for (long at = begin; at < whole; at += BYTES) {
      // NaN if either is NaN.
      largest = largest.max(FloatVector.fromMemorySegment(SPECIES, x, at, ORDER).abs());
    }
    int done = SPECIES.loopBound(length);
    return Math.max(
        largest.reduceLanes(VectorOperators.MAX),
        ScalarVectors.INSTANCE.largest(x, start + done, length - done));
  }

  @Override
  public void add(
      float factor,
      MemorySegment x,
      MemorySegment y,
      MemorySegment result,
      long start,
      int length) {
    FloatVector factors = FloatVector.broadcast(SPECIES, factor);
    long begin = start * Float.BYTES;
    long whole = begin + (long) SPECIES.loopBound(length) * Float.BYTES;
    for (long at = begin; at < whole; at += BYTES) {
      FloatVector to = FloatVector.fromMemorySegment(SPECIES, y, at, ORDER);
      store(FloatVector.fromMemorySegment(SPECIES, x, at, ORDER).fma(factors, to), result, at);
    }
    int done = SPECIES.loopBound(length);
    ScalarVectors.INSTANCE.add(factor, x, y, result, start + done, length - done);
  }

  @Override
  public void scale(float factor, MemorySegment x, MemorySegment result, long start, int length) {
    long begin = start * Float.BYTES;
    long whole = begin + (long) SPECIES.loopBound(length) * Float.BYTES;
    for (long at = begin; at < whole; at += BYTES) {
      store(FloatVector.fromMemorySegment(SPECIES, x, at, ORDER).mul(factor), result, at);
    }
    int done = SPECIES.loopBound(length);
    ScalarVectors.INSTANCE.scale(factor, x, result, start + done, length - done);
  }

  private static void store(FloatVector x, MemorySegment to, long at) {
    x.blend(Float.NaN, x.compare(VectorOperators.NE, x)).intoMemorySegment(to, at, ORDER);
  }
}
