package dev.panoptim.examples.quickstart;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Products of off-heap matrices in row-major order. The number of columns is a multiple of
/// [#LANES]. Rows are processed four at a time, so that a result is loaded and stored once for four
/// products.
final class Matrices {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /// The floats in the longest vectors of any supported processor.
  static final int LANES = 16;

  private static final int AT_ONCE = 4;

  private Matrices() {}

  /// `result[rows][columns] += a[rows][inner] * b[inner][columns]`; `inner` is a multiple of 4.
  static void addProduct(
      MemorySegment a, MemorySegment b, MemorySegment result, int rows, int inner, int columns) {
    for (int row = 0; row < rows; row++) {
      for (int k = 0; k < inner; k += AT_ONCE) {
        long at = (long) row * inner + k;
        addRows(
            a.getAtIndex(JAVA_FLOAT, at),
            a.getAtIndex(JAVA_FLOAT, at + 1),
            a.getAtIndex(JAVA_FLOAT, at + 2),
            a.getAtIndex(JAVA_FLOAT, at + 3),
            b,
            k,
            result,
            row,
            columns);
      }
    }
  }

  /// `result[inner][columns] += transposed(a[rows][inner]) * b[rows][columns]`; `rows` is a
  /// multiple of 4.
  static void addProductOfTransposed(
      MemorySegment a, MemorySegment b, MemorySegment result, int rows, int inner, int columns) {
    for (int row = 0; row < rows; row += AT_ONCE) {
      for (int k = 0; k < inner; k++) {
        long at = (long) row * inner + k;
        float a0 = a.getAtIndex(JAVA_FLOAT, at);
        float a1 = a.getAtIndex(JAVA_FLOAT, at + inner);
        float a2 = a.getAtIndex(JAVA_FLOAT, at + 2L * inner);
        float a3 = a.getAtIndex(JAVA_FLOAT, at + 3L * inner);
        // About half of the outputs of a rectified layer are 0.
        if (a0 != 0 || a1 != 0 || a2 != 0 || a3 != 0) {
          addRows(a0, a1, a2, a3, b, row, result, k, columns);
        }
      }
    }
  }

  /// `result[rows][inner] = a[rows][columns] * transposed(b[inner][columns])`.
  static void setProductWithTransposed(
      MemorySegment a, MemorySegment b, MemorySegment result, int rows, int inner, int columns) {
    float[] lanes = new float[SPECIES.length()];
    for (int row = 0; row < rows; row++) {
      for (int k = 0; k < inner; k++) {
        result.setAtIndex(JAVA_FLOAT, (long) row * inner + k, dot(a, row, b, k, columns, lanes));
      }
    }
  }

  /// `result[to] += a0 * b[from] + a1 * b[from + 1] + a2 * b[from + 2] + a3 * b[from + 3]`
  private static void addRows(
      float a0,
      float a1,
      float a2,
      float a3,
      MemorySegment b,
      int from,
      MemorySegment result,
      int to,
      int columns) {
    long width = (long) columns * Float.BYTES;
    long source = from * width;
    long target = to * width;
    for (long at = 0; at < width; at += SPECIES.vectorByteSize()) {
      FloatVector sum = load(result, target + at);
      sum = load(b, source + at).fma(broadcast(a0), sum);
      sum = load(b, source + width + at).fma(broadcast(a1), sum);
      sum = load(b, source + 2 * width + at).fma(broadcast(a2), sum);
      sum = load(b, source + 3 * width + at).fma(broadcast(a3), sum);
      sum.intoMemorySegment(result, target + at, ORDER);
    }
  }

  /// Adds the lanes in a fixed order. The order of `reduceLanes` may change when the method is
  /// compiled.
  ///
  /// @param lanes scratch memory
  private static float dot(
      MemorySegment a, int rowA, MemorySegment b, int rowB, int columns, float[] lanes) {
    long width = (long) columns * Float.BYTES;
    FloatVector sum = FloatVector.zero(SPECIES);
    for (long at = 0; at < width; at += SPECIES.vectorByteSize()) {
      sum = load(a, rowA * width + at).fma(load(b, rowB * width + at), sum);
    }
    sum.intoArray(lanes, 0);
    for (int half = lanes.length / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        lanes[i] += lanes[i + half];
      }
    }
    return lanes[0];
  }

  private static FloatVector load(MemorySegment segment, long at) {
    return FloatVector.fromMemorySegment(SPECIES, segment, at, ORDER);
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }
}
