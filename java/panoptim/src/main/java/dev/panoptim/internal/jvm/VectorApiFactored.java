package dev.panoptim.internal.jvm;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import dev.panoptim.internal.factored.FactoredCall;
import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Loops of factored second moments on the Vector API: four vectors of doubles hold the sixteen
/// sums. [ScalarFactored] computes the results at the end that do not fill a vector.
///
/// Loops pass no vector to another method of this class: HotSpot may not inline a method that it
/// has compiled before, and then the vector is an object on the heap.
final class VectorApiFactored implements FactoredKernels {
  static final VectorApiFactored INSTANCE = new VectorApiFactored();

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final VectorSpecies<Float> SPECIES = VectorLoop.SPECIES;
  private static final long BYTES = SPECIES.vectorByteSize();

  /// The species of the sums.
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_128;

  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_256;
  private static final int QUARTER = FLOATS.length();
  private static final long QUARTER_BYTES = FLOATS.vectorByteSize();
  private static final int ROUND = 4 * QUARTER;

  static {
    if (ROUND != WorkSplit.LANES) {
      throw new AssertionError("four vectors do not hold all sums");
    }
  }

  /// On other processors, vectors of four doubles would be objects on the heap.
  private static final boolean HAS_DOUBLES =
      DoubleVector.SPECIES_PREFERRED.length() >= DOUBLES.length();

  private VectorApiFactored() {}

  @Override
  public double sum(FactoredCall call, long start, int length) {
    return HAS_DOUBLES
        ? sum(call.matrix, call.scale, call.addend, start, length)
        : ScalarFactored.INSTANCE.sum(call, start, length);
  }

  @Override
  public double squares(FactoredCall call, long start, int length) {
    return HAS_DOUBLES
        ? sum(call.result, 1, 0, start, length)
        : ScalarFactored.INSTANCE.squares(call, start, length);
  }

  private static double sum(MemorySegment x, float scale, double addend, long start, int length) {
    DoubleVector a = DoubleVector.zero(DOUBLES);
    DoubleVector b = a;
    DoubleVector c = a;
    DoubleVector d = a;
    long end = start + length;
    long i = start;
    for (; i + ROUND <= end; i += ROUND) {
      long at = i * Float.BYTES;
      DoubleVector scaled;
      scaled =
          (DoubleVector)
              FloatVector.fromMemorySegment(FLOATS, x, at, ORDER)
                  .mul(scale)
                  .convertShape(VectorOperators.F2D, DOUBLES, 0);
      a = a.add(scaled.mul(scaled).add(addend));
      scaled =
          (DoubleVector)
              FloatVector.fromMemorySegment(FLOATS, x, at + QUARTER_BYTES, ORDER)
                  .mul(scale)
                  .convertShape(VectorOperators.F2D, DOUBLES, 0);
      b = b.add(scaled.mul(scaled).add(addend));
      scaled =
          (DoubleVector)
              FloatVector.fromMemorySegment(FLOATS, x, at + 2 * QUARTER_BYTES, ORDER)
                  .mul(scale)
                  .convertShape(VectorOperators.F2D, DOUBLES, 0);
      c = c.add(scaled.mul(scaled).add(addend));
      scaled =
          (DoubleVector)
              FloatVector.fromMemorySegment(FLOATS, x, at + 3 * QUARTER_BYTES, ORDER)
                  .mul(scale)
                  .convertShape(VectorOperators.F2D, DOUBLES, 0);
      d = d.add(scaled.mul(scaled).add(addend));
    }
    // The elements that are left are added to the first lanes. Masks would be objects on the heap.
    double first =
        a.lane(0)
            + rest(x, scale, addend, i, end)
            + (c.lane(0) + rest(x, scale, addend, i + 8, end));
    double second =
        a.lane(1)
            + rest(x, scale, addend, i + 1, end)
            + (c.lane(1) + rest(x, scale, addend, i + 9, end));
    double third =
        a.lane(2)
            + rest(x, scale, addend, i + 2, end)
            + (c.lane(2) + rest(x, scale, addend, i + 10, end));
    double fourth =
        a.lane(3)
            + rest(x, scale, addend, i + 3, end)
            + (c.lane(3) + rest(x, scale, addend, i + 11, end));
    first +=
        b.lane(0)
            + rest(x, scale, addend, i + 4, end)
            + (d.lane(0) + rest(x, scale, addend, i + 12, end));
    second +=
        b.lane(1)
            + rest(x, scale, addend, i + 5, end)
            + (d.lane(1) + rest(x, scale, addend, i + 13, end));
    third +=
        b.lane(2)
            + rest(x, scale, addend, i + 6, end)
            + (d.lane(2) + rest(x, scale, addend, i + 14, end));
    fourth +=
        b.lane(3)
            + rest(x, scale, addend, i + 7, end)
            + (d.lane(3) + rest(x, scale, addend, i + 15, end));
    return first + third + (second + fourth);
  }

  @Override
  public double add(FactoredCall call, long start, int length, MemorySegment columns, long first) {
    if (!HAS_DOUBLES) {
      return ScalarFactored.INSTANCE.add(call, start, length, columns, first);
    }
    MemorySegment x = call.matrix;
    float scale = call.scale;
    double addend = call.addend;
    // In one loop for columns and sums of lanes, HotSpot has allocated vectors on the heap.
    long end = start + length;
    long i = start;
    long column = first;
    for (; i + QUARTER <= end; i += QUARTER, column += QUARTER) {
      long at = column * Double.BYTES;
      DoubleVector scaled =
          (DoubleVector)
              FloatVector.fromMemorySegment(FLOATS, x, i * Float.BYTES, ORDER)
                  .mul(scale)
                  .convertShape(VectorOperators.F2D, DOUBLES, 0);
      DoubleVector.fromMemorySegment(DOUBLES, columns, at, ORDER)
          .add(scaled.mul(scaled).add(addend))
          .intoMemorySegment(columns, at, ORDER);
    }
    for (; i < end; i++, column++) {
      double sum =
          columns.getAtIndex(JAVA_DOUBLE, column) + ScalarFactored.term(x, scale, addend, i);
      columns.setAtIndex(JAVA_DOUBLE, column, sum);
    }
    return sum(x, scale, addend, start, length);
  }

  /// The term of a lane, or 0 if the lane is beyond the end. A sum is never -0, so 0 leaves it as
  /// it is.
  private static double rest(MemorySegment x, float scale, double addend, long i, long end) {
    return i < end ? ScalarFactored.term(x, scale, addend, i) : 0;
  }

  @Override
  public void scale(FactoredCall call, float factor, long start, int length) {
    long begin = start * Float.BYTES;
    long whole = begin + (long) SPECIES.loopBound(length) * Float.BYTES;
    for (long at = begin; at < whole; at += BYTES) {
      FloatVector scaled =
          FloatVector.fromMemorySegment(SPECIES, call.matrix, at, ORDER).mul(call.scale);
      FloatVector result = scaled.mul(factor);
      result
          .blend(Float.NaN, result.compare(VectorOperators.NE, result))
          .intoMemorySegment(call.result, at, ORDER);
    }
    int done = SPECIES.loopBound(length);
    ScalarFactored.INSTANCE.scale(call, factor, start + done, length - done);
  }

  @Override
  public void scaleColumns(
      FactoredCall call, float row, long start, int length, MemorySegment columns, long first) {
    long begin = start * Float.BYTES;
    long toColumn = (first - start) * Float.BYTES;
    long whole = begin + (long) SPECIES.loopBound(length) * Float.BYTES;
    FloatVector most = FloatVector.broadcast(SPECIES, call.most);
    for (long at = begin; at < whole; at += BYTES) {
      FloatVector scaled =
          FloatVector.fromMemorySegment(SPECIES, call.matrix, at, ORDER).mul(call.scale);
      FloatVector factor =
          FloatVector.fromMemorySegment(SPECIES, columns, at + toColumn, ORDER).mul(row);
      // NaN if the factor is.
      FloatVector result = scaled.mul(factor.min(most));
      result
          .blend(Float.NaN, result.compare(VectorOperators.NE, result))
          .intoMemorySegment(call.result, at, ORDER);
    }
    int done = SPECIES.loopBound(length);
    ScalarFactored.INSTANCE.scaleColumns(
        call, row, start + done, length - done, columns, first + done);
  }

  @Override
  public void updateElements(FactoredCall call, long start, int length) {
    long begin = start * Float.BYTES;
    long whole = begin + (long) SPECIES.loopBound(length) * Float.BYTES;
    FloatVector addend = FloatVector.broadcast(SPECIES, (float) call.addend);
    FloatVector take = FloatVector.broadcast(SPECIES, call.take);
    FloatVector least = FloatVector.broadcast(SPECIES, call.least);
    for (long at = begin; at < whole; at += BYTES) {
      FloatVector scaled =
          FloatVector.fromMemorySegment(SPECIES, call.matrix, at, ORDER).mul(call.scale);
      FloatVector old = FloatVector.fromMemorySegment(SPECIES, call.state, at, ORDER);
      FloatVector moment = scaled.fma(scaled, addend).sub(old).fma(take, old);
      moment
          .blend(Float.NaN, moment.compare(VectorOperators.NE, moment))
          .intoMemorySegment(call.state, at, ORDER);
      // NaN if the moment is.
      FloatVector root = moment.max(least).lanewise(VectorOperators.SQRT);
      FloatVector result = scaled.div(root);
      result
          .blend(Float.NaN, result.compare(VectorOperators.NE, result))
          .intoMemorySegment(call.result, at, ORDER);
    }
    int done = SPECIES.loopBound(length);
    ScalarFactored.INSTANCE.updateElements(call, start + done, length - done);
  }
}
