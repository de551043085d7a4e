package dev.panoptim.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HalfPrecisionTest {
  /// No other number of the format is nearer; of two equally near ones, the result is the even one.
  @ParameterizedTest
  @EnumSource
  void roundsToTheNearest(HalfPrecision type) {
    SplittableRandom random = new SplittableRandom(6);
    for (int i = 0; i < 100_000; i++) {
      float x = (float) (random.nextDouble(-1, 1) * Math.pow(2, random.nextInt(-30, 15)));
      short bits = type.round(x);
      if ((bits & 0x7fff) == 0) {
        // The neighbours of 0 have different signs.
        assertTrue(Math.abs(x) <= type.toFloat((short) 1) / 2, x + " in " + type);
        continue;
      }
      double off = Math.abs((double) type.toFloat(bits) - x);
      for (int step = -1; step <= 1; step += 2) {
        double other = Math.abs((double) type.toFloat((short) (bits + step)) - x);
        assertTrue(off < other || (off == other && bits % 2 == 0), x + " in " + type);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void keepsNaNInfinitiesAndSignedZeros(HalfPrecision type) {
    for (float x :
        new float[] {
          0, -0f, 1, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN,
        }) {
      assertEquals(Float.valueOf(x), type.toFloat(type.round(x)));
    }
    assertEquals(type.round(Float.NaN), type.round(Float.intBitsToFloat(0xffc12345)));
    assertEquals(Float.POSITIVE_INFINITY, type.toFloat(type.round(Float.MAX_VALUE)));
  }
}
