package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.panoptim.device.Device;
import dev.panoptim.memory.HalfPrecision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/// Random values that repeat. A large tensor on a GPU is written and compared in less time with
/// these values than with a random number for each element.
final class GpuPattern {
  /// A period takes 4 MB.
  static final int LONGEST = 1_000_000;

  /// The values of parameters, in [-1, 1). The values of gradients are in [0.005, 0.01).
  static final int DATA = 0;

  static final int GRADIENT = 1;

  /// The gradients that follow [#GRADIENT] at the next step, if gradients move.
  static final int NEXT_GRADIENT = 2;

  private final int period;
  private final MemorySegment[] values = new MemorySegment[3];

  /// @param period the number of values, after which they repeat
  GpuPattern(int period) {
    this.period = period;
    SplittableRandom random = new SplittableRandom(1);
    for (int which = 0; which < values.length; which++) {
      values[which] = Arena.ofAuto().allocate((long) Float.BYTES * period, 64);
      for (int i = 0; i < period; i++) {
        double value = which == DATA ? random.nextDouble(-1, 1) : random.nextDouble(0.005, 0.01);
        values[which].setAtIndex(JAVA_FLOAT, i, (float) value);
      }
    }
  }

  /// Writes values to a device.
  ///
  /// @param which [#DATA], [#GRADIENT] or [#NEXT_GRADIENT]
  /// @param start the position of the first value in the repeated pattern
  void write(int which, Device device, MemorySegment to, long start, long elements) {
    pieces(
        period,
        start,
        elements,
        (at, offset, count) ->
            device.upload(
                part(values[which], Float.BYTES, at, count),
                device.slice(to, Float.BYTES * offset, Float.BYTES * count)));
  }

  private static MemorySegment part(MemorySegment of, int bytes, long at, long count) {
    return of.asSlice(bytes * at, bytes * count);
  }

  private interface Piece {
    /// @param at the position in a period
    /// @param offset the position in the tensor
    void visit(long at, long offset, long count);
  }

  /// Cuts the elements of a tensor where a period ends.
  private static void pieces(long period, long start, long elements, Piece piece) {
    long count;
    for (long offset = 0; offset < elements; offset += count) {
      long at = (start + offset) % period;
      count = Math.min(elements - offset, period - at);
      piece.visit(at, offset, count);
    }
  }

  /// The place of a tensor.
  ///
  /// @param start the position of its first element in the repeated pattern
  record Place(Device device, long start, long elements) {
    /// Compares a tensor with the values of one period.
    ///
    /// @param tolerance relative; 0: the bits must be the same
    /// @throws IllegalStateException if they differ
    void requireFloats(String what, MemorySegment tensor, MemorySegment period, double tolerance) {
      require(what, tensor, period, Float.BYTES, tolerance);
    }

    /// As [#requireFloats].
    void requireBfloat16(
        String what, MemorySegment tensor, MemorySegment period, double tolerance) {
      require(what, tensor, period, Short.BYTES, tolerance);
    }

    private void require(
        String what, MemorySegment tensor, MemorySegment period, int bytes, double tolerance) {
      pieces(
          period.byteSize() / bytes,
          start,
          elements,
          (at, offset, count) -> {
            MemorySegment expected = part(period, bytes, at, count);
            MemorySegment slice = device.slice(tensor, bytes * offset, bytes * count);
            MemorySegment here = device.readable(slice, bytes * count);
            if (here.mismatch(expected) == -1) {
              return;
            }
            for (long i = 0; i < count; i++) {
              float a = value(here, bytes, i);
              float b = value(expected, bytes, i);
              if (!(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)))
                  || tolerance == 0 && Float.floatToRawIntBits(a) != Float.floatToRawIntBits(b)) {
                throw new IllegalStateException(
                    "%s: element %s of all is %s, but %s on the CPU"
                        .formatted(what, start + offset + i, a, b));
              }
            }
          });
    }

    private static float value(MemorySegment of, int bytes, long i) {
      return bytes == Float.BYTES
          ? of.getAtIndex(JAVA_FLOAT, i)
          : HalfPrecision.BFLOAT16.toFloat(of.getAtIndex(JAVA_SHORT, i));
    }
  }
}
