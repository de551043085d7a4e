package dev.panoptim.memory;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.panoptim.internal.memory.Segments;
import java.lang.foreign.MemorySegment;

/// The 16-bit formats that a copy of the parameters can have. Both round to the nearest number, of
/// two to the one whose last bit is 0; every NaN becomes the same one.
///
/// Immutable.
public enum HalfPrecision {
  /// A float's upper half: its range, 8 bits of precision.
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
  /// IEEE 754's binary16: up to 65504, 11 bits of precision.
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

  /// Writes the elements `start` to `end`, exclusively, of some data to the same places of a
  /// half-precision copy.
  ///
  /// @throws IllegalArgumentException if one of them says to be where no memory can be
  public void write(MemorySegment data, MemorySegment halfPrecisionCopy, long start, long end) {
    Segments.requireAddress("data", data, data.byteSize());
    Segments.requireAddress("half-precision copy", halfPrecisionCopy, halfPrecisionCopy.byteSize());
    for (long i = start; i < end; i++) {
      halfPrecisionCopy.setAtIndex(JAVA_SHORT, i, round(data.getAtIndex(JAVA_FLOAT, i)));
    }
  }

  /// The bits of the format's number nearest to a float.
  public abstract short round(float x);

  /// The number that some bits stand for: exact.
  public abstract float toFloat(short bits);
}
