package dev.panoptim.server.digits;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Sums of rows of off-heap matrices. Lengths are multiples of [#LANES]; places count floats.
final class Floats {
  /// The floats in the longest vectors of any supported processor.
  static final int LANES = 16;

  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private Floats() {}

  /// `to[toAt + i] += factor * from[fromAt + i]`
  static void addScaled(
      float factor, MemorySegment from, long fromAt, float[] to, int toAt, int length) {
    for (int i = 0; i < length; i += SPECIES.length()) {
      vector(from, fromAt + i)
          .fma(FloatVector.broadcast(SPECIES, factor), FloatVector.fromArray(SPECIES, to, toAt + i))
          .intoArray(to, toAt + i);
    }
  }

  /// `to[toAt + i] += factor * from[fromAt + i]`
  static void addScaled(
      float factor, float[] from, int fromAt, MemorySegment to, long toAt, int length) {
    for (int i = 0; i < length; i += SPECIES.length()) {
      FloatVector.fromArray(SPECIES, from, fromAt + i)
          .fma(FloatVector.broadcast(SPECIES, factor), vector(to, toAt + i))
          .intoMemorySegment(to, (toAt + i) * Float.BYTES, ORDER);
    }
  }

  /// The sum of `a[i] * b[at + i]`.
  static float dot(float[] a, MemorySegment b, long at, int length) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = 0; i < length; i += SPECIES.length()) {
      sum = FloatVector.fromArray(SPECIES, a, i).fma(vector(b, at + i), sum);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  private static FloatVector vector(MemorySegment from, long at) {
    return FloatVector.fromMemorySegment(SPECIES, from, at * Float.BYTES, ORDER);
  }

  /// `to[at] += value`
  static void add(MemorySegment to, long at, float value) {
    to.setAtIndex(JAVA_FLOAT, at, to.getAtIndex(JAVA_FLOAT, at) + value);
  }
}
