package dev.panoptim.internal.math;

import java.math.BigDecimal;
import java.math.MathContext;

/// Computes powers that [CorrectlyRounded#pow] cannot round: those at or near the middle between
/// two doubles, and those that are too small for the full precision of a double.
///
/// Thread-safe.
final class ExactPow {
  private static final MathContext PRECISION = new MathContext(130);
  private static final BigDecimal NEGLIGIBLE = BigDecimal.ONE.movePointLeft(125);

  /// A result within this relative distance of the middle is treated as the middle.
  private static final BigDecimal MIDDLE = BigDecimal.ONE.movePointLeft(110);

  private static final BigDecimal TWO = BigDecimal.TWO;
  private static final BigDecimal LOG_2 = log(TWO);

  private ExactPow() {}

  /// Computes a power with 130 decimal digits and rounds it.
  ///
  /// @param base above 0, finite
  /// @param exponent finite; the result must be between about 10^-400 and 10^400
  static double of(double base, double exponent) {
    int scale =
        base < Double.MIN_NORMAL ? Math.getExponent(base * 0x1p54) - 54 : Math.getExponent(base);
    BigDecimal mantissa = divide(new BigDecimal(base), power2(scale));
    BigDecimal log = log(mantissa).add(LOG_2.multiply(BigDecimal.valueOf(scale)));
    return round(exp(log.multiply(new BigDecimal(exponent), PRECISION)));
  }

  private static double round(BigDecimal value) {
    double near = value.doubleValue();
    if (near >= Double.MAX_VALUE) {
      return near;
    }
    BigDecimal nearest = new BigDecimal(near);
    double other = value.compareTo(nearest) > 0 ? Math.nextUp(near) : Math.nextDown(near);
    BigDecimal middle = nearest.add(new BigDecimal(other)).divide(TWO);
    boolean tie = value.subtract(middle).abs().compareTo(value.multiply(MIDDLE, PRECISION)) < 0;
    boolean even = (Double.doubleToRawLongBits(near) & 1) == 0;
    return tie && !even ? other : near;
  }

  private static BigDecimal power2(int exponent) {
    return exponent < 0 ? BigDecimal.ONE.divide(TWO.pow(-exponent)) : TWO.pow(exponent);
  }

  /// The natural logarithm, computed as `2 * artanh((x - 1) / (x + 1))`.
  private static BigDecimal log(BigDecimal x) {
    BigDecimal w = divide(x.subtract(BigDecimal.ONE), x.add(BigDecimal.ONE));
    BigDecimal square = w.multiply(w, PRECISION);
    BigDecimal sum = BigDecimal.ZERO;
    BigDecimal term = w;
    BigDecimal least = w.abs().multiply(NEGLIGIBLE);
    for (int k = 1; term.abs().compareTo(least) > 0; k += 2) {
      sum = sum.add(divide(term, BigDecimal.valueOf(k)), PRECISION);
      term = term.multiply(square, PRECISION);
    }
    return sum.multiply(TWO);
  }

  private static BigDecimal exp(BigDecimal x) {
    int twos = (int) Math.rint(divide(x, LOG_2).doubleValue());
    BigDecimal rest = x.subtract(LOG_2.multiply(BigDecimal.valueOf(twos)));
    BigDecimal sum = BigDecimal.ONE;
    BigDecimal term = rest;
    for (int k = 2; term.abs().compareTo(NEGLIGIBLE) > 0; k++) {
      sum = sum.add(term, PRECISION);
      term = divide(term.multiply(rest), BigDecimal.valueOf(k));
    }
    return sum.multiply(power2(twos), PRECISION);
  }

  private static BigDecimal divide(BigDecimal a, BigDecimal b) {
    return a.divide(b, PRECISION);
  }
}
