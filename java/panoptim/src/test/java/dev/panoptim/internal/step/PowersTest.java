package dev.panoptim.internal.step;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

class PowersTest {
  /// The powers without kept squares, as a plain loop.
  private static double byLoop(double base, long exponent) {
    if (exponent * (1 - base) > 100) {
      return 0;
    }
    double result = 1;
    double square = base;
    for (long left = exponent; left > 0; left >>= 1) {
      if ((left & 1) == 1) {
        result *= square;
      }
      square *= square;
    }
    return result;
  }

  private static void assertSameBits(Powers powers, double base, long exponent, String what) {
    assertEquals(
        Double.doubleToRawLongBits(byLoop(base, exponent)),
        Double.doubleToRawLongBits(powers.power(base, exponent)),
        () -> what + ": " + base + "^" + exponent);
  }

  @Test
  void powersAreThoseOfTheMathLibrary() {
    Powers powers = new Powers();
    for (double base : new double[] {0, 0.5, 0.9, 0.999, 0.9999999}) {
      for (long exponent = 0; exponent < 1L << 40; exponent = exponent * 5 / 4 + 1) {
        double expected = StrictMath.pow(base, exponent);
        assertEquals(
            expected,
            powers.power(base, exponent),
            Math.max(exponent * 0x1p-52 * expected, 1e-43),
            base + "^" + exponent);
      }
    }
    assertEquals(0, powers.power(0.999, Long.MAX_VALUE));
  }

  @Test
  void keptSquaresChangeNoBit() {
    long seed = System.nanoTime();
    String what = "seed " + seed;
    Random random = new Random(seed);
    // One table for all bases, so that each base follows another one.
    Powers powers = new Powers();
    for (int i = 0; i < 2000; i++) {
      // 1 - base from 1 down to 2^-53: bases near 1 allow large exponents.
      double base = 1 - random.nextDouble() * Math.scalb(1.0, -random.nextInt(53));
      for (int j = 0; j < 20; j++) {
        assertSameBits(powers, base, random.nextLong() >>> (1 + random.nextInt(63)), what);
      }
    }
  }

  /// The powers in the order of a training.
  @Test
  void growingExponentsChangeNoBit() {
    Powers powers = new Powers();
    for (double base : new double[] {0, 0.9, 0.999, 1, 0.999, 0.99999}) {
      for (long exponent = 1; exponent < 30_000; exponent++) {
        assertSameBits(powers, base, exponent, "growing");
      }
    }
  }

  /// A step count in a shared file may be damaged.
  @Test
  void negativeExponentsCountAsZero() {
    Powers powers = new Powers();
    for (long exponent : new long[] {0, -1, Long.MIN_VALUE}) {
      assertEquals(1, powers.power(0.9, exponent));
      assertEquals(1, powers.power(0, exponent));
    }
  }

  @Test
  void theLargestExponentIsAllowed() {
    Powers powers = new Powers();
    for (double base : new double[] {0, 0.5, Math.nextDown(1.0), 1}) {
      assertSameBits(powers, base, Long.MAX_VALUE, "largest");
      assertSameBits(powers, base, 0, "smallest");
    }
    assertEquals(1, powers.power(1, Long.MAX_VALUE));
  }
}
