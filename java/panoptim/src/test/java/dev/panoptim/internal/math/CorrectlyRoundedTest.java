package dev.panoptim.internal.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CorrectlyRoundedTest {
  private static final boolean EXHAUSTIVE = Boolean.getBoolean("panoptim.exhaustive");
  private static final MathContext PRECISION = new MathContext(120);

  /// pi, computed by Machin's formula.
  private static final BigDecimal PI =
      arctanOfInverse(5)
          .multiply(BigDecimal.valueOf(16))
          .subtract(arctanOfInverse(239).multiply(BigDecimal.valueOf(4)));

  private static BigDecimal arctanOfInverse(int x) {
    BigDecimal power = BigDecimal.ONE.divide(BigDecimal.valueOf(x), PRECISION);
    BigDecimal sum = BigDecimal.ZERO;
    for (int k = 0; k < 120; k++) {
      BigDecimal term = power.divide(BigDecimal.valueOf(2 * k + 1), PRECISION);
      sum = k % 2 == 0 ? sum.add(term) : sum.subtract(term);
      power = power.divide(BigDecimal.valueOf((long) x * x), PRECISION);
    }
    return sum;
  }

  private static double exactCos(double angle) {
    BigDecimal turn = PI.multiply(BigDecimal.TWO);
    BigDecimal x = new BigDecimal(angle).remainder(turn);
    BigDecimal square = x.multiply(x, PRECISION);
    BigDecimal term = BigDecimal.ONE;
    BigDecimal sum = BigDecimal.ZERO;
    for (int k = 1; k < 160; k += 2) {
      sum = sum.add(term);
      term =
          term.multiply(square).divide(BigDecimal.valueOf((long) k * (k + 1)), PRECISION).negate();
    }
    return sum.doubleValue();
  }

  private static void assertSame(double expected, double found, String what) {
    assertEquals(Double.doubleToRawLongBits(expected), Double.doubleToRawLongBits(found), what);
  }

  @Test
  void cosinesAreCorrectlyRounded() {
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < (EXHAUSTIVE ? 5000 : 1000); i++) {
      double angle = random.nextDouble(-4, 4);
      if (i % 4 == 1) {
        angle = random.nextDouble(-1, 1) * (i % 8 == 1 ? 1e5 : 0x1p30);
      } else if (i % 4 == 2) {
        angle = Math.PI * random.nextInt(10_000) / random.nextInt(1, 10_000);
      } else if (i % 4 == 3) {
        // A double next to a multiple of pi / 2, where the cosine is near 0 or 1.
        angle = random.nextInt(100_000) * (Math.PI / 2);
        angle = random.nextBoolean() ? angle : Math.nextUp(angle);
      }
      assertSame(exactCos(angle), CorrectlyRounded.cos(angle), "cos(" + angle + "), seed " + seed);
    }
    for (int exponent = -1074; exponent <= 0; exponent += EXHAUSTIVE ? 1 : 7) {
      double angle = Math.scalb(1.0 + random.nextDouble(), exponent);
      assertSame(exactCos(angle), CorrectlyRounded.cos(angle), "cos(" + angle + "), seed " + seed);
    }
    assertSame(1, CorrectlyRounded.cos(0), "cos(0)");
    assertSame(-1, CorrectlyRounded.cos(Math.PI), "cos(pi)");
  }

  @Test
  void anglesThatAreTooLargeAreRejected() {
    assertThrows(IllegalArgumentException.class, () -> CorrectlyRounded.cos(0x1.0000000000001p30));
    assertThrows(IllegalArgumentException.class, () -> CorrectlyRounded.cos(Double.NaN));
    assertThrows(
        IllegalArgumentException.class, () -> CorrectlyRounded.cos(Double.NEGATIVE_INFINITY));
  }

  /// The exact power: a double to an integer power is a finite decimal fraction.
  private static double exactPower(double base, int exponent) {
    BigDecimal power = new BigDecimal(base).pow(Math.abs(exponent));
    if (exponent >= 0) {
      return roundedHalfEven(power, BigDecimal.ONE);
    }
    return roundedHalfEven(BigDecimal.ONE, power);
  }

  /// The double nearest to a quotient, with ties to even, computed with integers only.
  private static double roundedHalfEven(BigDecimal dividend, BigDecimal divisor) {
    double sign = dividend.signum() * divisor.signum();
    int scale = Math.max(dividend.scale(), divisor.scale());
    BigInteger top = dividend.abs().setScale(scale).unscaledValue();
    BigInteger bottom = divisor.abs().setScale(scale).unscaledValue();
    int exponent = Math.max(top.bitLength() - bottom.bitLength() - 53, -1074);
    while (true) {
      BigInteger shiftedTop = exponent < 0 ? top.shiftLeft(-exponent) : top;
      BigInteger shiftedBottom = exponent > 0 ? bottom.shiftLeft(exponent) : bottom;
      BigInteger[] both = shiftedTop.divideAndRemainder(shiftedBottom);
      BigInteger quotient = both[0];
      if (quotient.bitLength() > 53) {
        exponent++;
        continue;
      }
      int half = both[1].shiftLeft(1).compareTo(shiftedBottom);
      if (half > 0 || (half == 0 && quotient.testBit(0))) {
        quotient = quotient.add(BigInteger.ONE);
      }
      return sign * Math.scalb(quotient.doubleValue(), exponent);
    }
  }

  @Test
  void powersOfIntegersAreCorrectlyRounded() {
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 3000; i++) {
      int exponent = random.nextInt(-300, 300);
      double base = random.nextDouble(0, 2);
      if (i % 4 == 1) {
        // Short numbers, whose powers may lie exactly between two doubles.
        base = random.nextInt(1, 1 << random.nextInt(2, 28)) / 1024.0;
        exponent = random.nextInt(-3, 20);
      } else if (i % 4 == 2) {
        base = 1 + random.nextInt(-100, 100) * 0x1p-52;
        exponent = random.nextInt(-3, 1000);
      } else if (i % 4 == 3) {
        base = Math.scalb(1 + random.nextDouble(), random.nextInt(-1074, 1023));
        exponent = random.nextInt(-2, 3);
      }
      base = i % 5 == 0 ? -base : base;
      assertSame(
          base == 0 ? Math.pow(base, exponent) : exactPower(base, exponent),
          CorrectlyRounded.pow(base, exponent),
          "pow(" + base + ", " + exponent + "), seed " + seed);
    }
  }

  @Test
  void smallPowersAreCorrectlyRounded() {
    for (int exponent = 6900; exponent < 7100; exponent += EXHAUSTIVE ? 1 : 9) {
      assertSame(exactPower(0.9, exponent), CorrectlyRounded.pow(0.9, exponent), "0.9^" + exponent);
    }
    assertSame(Double.MIN_VALUE, CorrectlyRounded.pow(2, -1074), "2^-1074");
    assertSame(0, CorrectlyRounded.pow(2, -1075), "2^-1075");
    assertSame(Double.MIN_VALUE, CorrectlyRounded.pow(Math.nextDown(0.5), 1074), "below 2^-1074");
    assertSame(Double.MIN_VALUE, CorrectlyRounded.pow(Math.nextUp(0.5), 1075), "above 2^-1075");
    assertSame(Double.MAX_VALUE, CorrectlyRounded.pow(Double.MAX_VALUE, 1), "the largest");
    assertSame(Double.POSITIVE_INFINITY, CorrectlyRounded.pow(2, 1024), "2^1024");
    assertSame(0x1p1023, CorrectlyRounded.pow(2, 1023), "2^1023");
  }

  @Test
  void squareRootsAreCorrectlyRounded() {
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 20_000; i++) {
      double base =
          i % 2 == 0
              ? Math.scalb(1 + random.nextDouble(), random.nextInt(-1060, 1000))
              : 1 + random.nextInt(-1000, 1000) * 0x1p-52;
      assertSame(
          Math.sqrt(base), CorrectlyRounded.pow(base, 0.5), "pow(" + base + ", 0.5), seed " + seed);
    }
  }

  /// The exact power must lie between the middles to the result's neighbours. For exponents n / 2^k
  /// the comparison is exact: base^n is compared with middle^(2^k).
  @Test
  void anyPowersAreCorrectlyRounded() {
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 5000; i++) {
      double base = random.nextDouble(i % 2 == 0 ? 0 : 0.99, 1);
      int k = random.nextInt(1, 4);
      int numerator = 2 * random.nextInt(0, 20) + 1;
      double exponent = numerator / (double) (1 << k);
      double found = CorrectlyRounded.pow(base, exponent);
      BigDecimal exact = new BigDecimal(base).pow(numerator);
      BigDecimal lower = middle(found, Math.nextDown(found)).pow(1 << k);
      BigDecimal upper = middle(found, Math.nextUp(found)).pow(1 << k);
      assertTrue(
          lower.compareTo(exact) <= 0 && exact.compareTo(upper) <= 0,
          "pow(" + base + ", " + exponent + ") is not " + found + ", seed " + seed);
    }
  }

  private static BigDecimal middle(double a, double b) {
    return new BigDecimal(a).add(new BigDecimal(b)).divide(BigDecimal.TWO);
  }

  @Test
  void theSlowAndTheFastPathAgree() {
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 300; i++) {
      double base = Math.scalb(1 + random.nextDouble(), random.nextInt(-5, 5));
      double exponent = random.nextDouble(-200, 200);
      assertSame(
          CorrectlyRounded.pow(base, exponent),
          ExactPow.of(base, exponent),
          "pow(" + base + ", " + exponent + "), seed " + seed);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, NaN, 1",
    "1, Infinity, 1",
    "NaN, 0, 1",
    "-1, Infinity, 1",
    "-1, -Infinity, 1",
    "0, 0, 1",
    "0, 2.5, 0",
    "-0.0, 3, -0.0",
    "-0.0, 2, 0",
    "0, -1, Infinity",
    "-0.0, -1, -Infinity",
    "-8, 0.5, NaN",
    "-2, 3, -8",
    "-2, 2, 4",
    "-1, 1e300, 1",
    "-1, 9007199254740991, -1",
    "NaN, 1, NaN",
    "2, NaN, NaN",
    "0.5, Infinity, 0",
    "2, Infinity, Infinity",
    "2, -Infinity, 0",
    "-Infinity, 3, -Infinity",
    "Infinity, -0.5, 0",
    "1e300, 2, Infinity",
    "-1e300, 3, -Infinity",
    "1e-300, 2, 0",
    "-1e-300, 3, -0.0",
    "2, 1e300, Infinity",
    "0.5, 1e300, 0"
  })
  void specialPowersAreAsInC(double base, double exponent, double expected) {
    double found = CorrectlyRounded.pow(base, exponent);
    assertEquals(Double.doubleToLongBits(expected), Double.doubleToLongBits(found), found + "");
  }
}
