package dev.panoptim.memory;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.panoptim.internal.memory.Segments;
import java.lang.foreign.MemorySegment;

/// The 16-bit formats of a copy of the parameters. Both round to the nearest number, and ties to
/// the number whose last bit is 0. Every NaN becomes the same NaN.
///
/// Immutable and thread-safe.
public enum HalfPrecision {
  /// The upper half of a float32: the same range, 8 bits of precision.
  BFLOAT16 {
    @Override
    public short round(float x) {
      int bits = Float.floatToRawIntBits(x);
      return (short) (Float.isNaN(x) ? 0x7fc0 : bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    @Override
    public float toFloat(short bits) {
      return Float.intBitsToFloat(bits << 16);
    }
  },
  /// IEEE 754 binary16: up to 65504, 11 bits of precision.
  FLOAT16 {
    @Override
    public short round(float x) {
      return Float.isNaN(x) ? 0x7e00 : Float.floatToFloat16(x);
    }

    @Override
    public float toFloat(short bits) {
      return Float.float16ToFloat(bits);
    }
  };

  /// Writes the rounded elements from `start` to `end`, exclusively, of some data to the same
  /// positions of a copy.
  ///
  /// @throws IllegalArgumentException if memory cannot exist at one of the addresses
  /// @throws IndexOutOfBoundsException if a segment is too short
  public void write(MemorySegment data, MemorySegment halfPrecisionCopy, long start, long end) {
    Segments.requireAddress("data", data, data.byteSize());
    Segments.requireAddress("half-precision copy", halfPrecisionCopy, halfPrecisionCopy.byteSize());
    for (long i = start; i < end; i++) {
      halfPrecisionCopy.setAtIndex(JAVA_SHORT, i, round(data.getAtIndex(JAVA_FLOAT, i)));
    }
  }

  /// Rounds a float to the format, and returns the bits.
  public abstract short round(float x);

  /// The exact value of a number of the format.
  public abstract float toFloat(short bits);
}
