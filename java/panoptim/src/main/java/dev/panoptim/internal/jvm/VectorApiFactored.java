package dev.panoptim.internal.jvm;

import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.factored.FactoredCall;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Loops of factored second moments on the Vector API: four vectors of doubles hold the sixteen
/// sums. [ScalarFactored] computes the results at the end that do not fill a vector.
final class VectorApiFactored implements FactoredKernels {
  static final VectorApiFactored INSTANCE = new VectorApiFactored();

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final VectorSpecies<Float> SPECIES = VectorLoop.SPECIES;
  private static final long BYTES = SPECIES.vectorByteSize();

  /// The species of the sums.
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_128;

  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_256;
  private static final int QUARTER = FLOATS.length();
  private static final int ROUND = 4 * QUARTER;

  static {
    if (ROUND != PanoptimAbi.PANOPTIM_LANES()) {
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
      a = a.add(term(x, scale, addend, i));
      b = b.add(term(x, scale, addend, i + QUARTER));
      c = c.add(term(x, scale, addend, i + 2 * QUARTER));
      d = d.add(term(x, scale, addend, i + 3 * QUARTER));
    }
    // A sum is never -0, so the 0 beyond the end leaves it as it is.
    a = a.add(termUpTo(x, scale, addend, i, end));
    b = b.add(termUpTo(x, scale, addend, i + QUARTER, end));
    c = c.add(termUpTo(x, scale, addend, i + 2 * QUARTER, end));
    d = d.add(termUpTo(x, scale, addend, i + 3 * QUARTER, end));
    return sumInHalves(a, b, c, d);
  }

  @Override
  public double add(FactoredCall call, long start, int length, MemorySegment columns, long first) {
    if (!HAS_DOUBLES) {
      return ScalarFactored.INSTANCE.add(call, start, length, columns, first);
    }
    MemorySegment x = call.matrix;
    float scale = call.scale;
    double addend = call.addend;
    DoubleVector a = DoubleVector.zero(DOUBLES);
    DoubleVector b = a;
    DoubleVector c = a;
    DoubleVector d = a;
    long end = start + length;
    long i = start;
    long column = first;
    for (; i + ROUND <= end; i += ROUND, column += ROUND) {
      DoubleVector term = term(x, scale, addend, i);
      a = a.add(term);
      addTo(columns, column, term);
      term = term(x, scale, addend, i + QUARTER);
      b = b.add(term);
      addTo(columns, column + QUARTER, term);
      term = term(x, scale, addend, i + 2 * QUARTER);
      c = c.add(term);
      addTo(columns, column + 2 * QUARTER, term);
      term = term(x, scale, addend, i + 3 * QUARTER);
      d = d.add(term);
      addTo(columns, column + 3 * QUARTER, term);
    }
    a = a.add(addUpTo(columns, column, termUpTo(x, scale, addend, i, end), end - i));
    i += QUARTER;
    column += QUARTER;
    b = b.add(addUpTo(columns, column, termUpTo(x, scale, addend, i, end), end - i));
    i += QUARTER;
    column += QUARTER;
    c = c.add(addUpTo(columns, column, termUpTo(x, scale, addend, i, end), end - i));
    i += QUARTER;
    column += QUARTER;
    d = d.add(addUpTo(columns, column, termUpTo(x, scale, addend, i, end), end - i));
    return sumInHalves(a, b, c, d);
  }

  private static void addTo(MemorySegment columns, long column, DoubleVector term) {
    long at = column * Double.BYTES;
    DoubleVector.fromMemorySegment(DOUBLES, columns, at, ORDER)
        .add(term)
        .intoMemorySegment(columns, at, ORDER);
  }

  /// Returns the term.
  private static DoubleVector addUpTo(
      MemorySegment columns, long column, DoubleVector term, long left) {
    if (left > 0) {
      long at = column * Double.BYTES;
      VectorMask<Double> mask = DOUBLES.indexInRange(0, left);
      DoubleVector.fromMemorySegment(DOUBLES, columns, at, ORDER, mask)
          .add(term)
          .intoMemorySegment(columns, at, ORDER, mask);
    }
    return term;
  }

  private static double sumInHalves(
      DoubleVector a, DoubleVector b, DoubleVector c, DoubleVector d) {
    DoubleVector four = a.add(c).add(b.add(d));
    return four.lane(0) + four.lane(2) + (four.lane(1) + four.lane(3));
  }

  private static DoubleVector term(MemorySegment x, float scale, double addend, long i) {
    return term(FloatVector.fromMemorySegment(FLOATS, x, i * Float.BYTES, ORDER), scale, addend);
  }

  /// 0 in the lanes from the end on.
  private static DoubleVector termUpTo(
      MemorySegment x, float scale, double addend, long i, long end) {
    long left = end - i;
    if (left <= 0) {
      return DoubleVector.zero(DOUBLES);
    }
    FloatVector floats =
        FloatVector.fromMemorySegment(
            FLOATS, x, i * Float.BYTES, ORDER, FLOATS.indexInRange(0, left));
    return DoubleVector.zero(DOUBLES)
        .blend(term(floats, scale, addend), DOUBLES.indexInRange(0, left));
  }

  private static DoubleVector term(FloatVector x, float scale, double addend) {
    DoubleVector scaled = (DoubleVector) x.mul(scale).convertShape(VectorOperators.F2D, DOUBLES, 0);
    return scaled.mul(scaled).add(addend);
  }

  @Override
  public void scale(FactoredCall call, float factor, long start, int length) {
    long begin = start * Float.BYTES;
    long whole = begin + (long) SPECIES.loopBound(length) * Float.BYTES;
    for (long at = begin; at < whole; at += BYTES) {
      FloatVector scaled =
          FloatVector.fromMemorySegment(SPECIES, call.matrix, at, ORDER).mul(call.scale);
      store(scaled.mul(factor), call.result, at);
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
      FloatVector limited = factor.blend(most, factor.compare(VectorOperators.GT, most));
      store(scaled.mul(limited), call.result, at);
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
      store(moment, call.state, at);
      // NaN if the moment is.
      FloatVector root = moment.max(least).lanewise(VectorOperators.SQRT);
      store(scaled.div(root), call.result, at);
    }
    int done = SPECIES.loopBound(length);
    ScalarFactored.INSTANCE.updateElements(call, start + done, length - done);
  }

  private static void store(FloatVector x, MemorySegment to, long at) {
    x.blend(Float.NaN, x.compare(VectorOperators.NE, x)).intoMemorySegment(to, at, ORDER);
  }
}
