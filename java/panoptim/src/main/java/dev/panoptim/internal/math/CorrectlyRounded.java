package dev.panoptim.internal.math;

/// Correctly rounded cosine and power. Schedules therefore have the same values on every system,
/// whereas [Math] and C libraries promise only approximations.
///
/// Both functions evaluate power series by Horner's rule in double-double arithmetic: a number is
/// the sum of two doubles, with about 104 bits. The rounding can be wrong only if a result is
/// within the error of the middle between two doubles. Such a power is computed by [ExactPow]. For
/// a cosine this happens at one argument in 2^40 and is not handled.
///
/// Sources of the arithmetic: Dekker 1971, <https://doi.org/10.1007/BF01397083>; Joldes, Muller and
/// Popescu 2017, <https://doi.org/10.1145/3121432>.
///
/// Thread-safe; the functions allocate nothing, except for the rare calls of [ExactPow].
public final class CorrectlyRounded {
  /// The largest magnitude of an argument of [#cos].
  static final double LARGEST_ANGLE = 0x1p30;

  /// pi / 2 as the sum of three doubles.
  private static final double HALF_PI = 0x1.921fb54442d18p0;

  private static final double HALF_PI_2 = 0x1.1a62633145c07p-54;
  private static final double HALF_PI_3 = -0x1.f1976b7ed8fbcp-110;

  /// log 2 as the sum of three doubles.
  private static final double LOG_2 = 0x1.62e42fefa39efp-1;

  private static final double LOG_2_2 = 0x1.abc9e3b39803fp-56;
  private static final double LOG_2_3 = 0x1.7b57a079a1934p-111;

  private static final double SQUARE_ROOT_2 = Math.sqrt(2);

  /// An upper bound of the relative error of a power; [#pow] stays well below it.
  private static final double POWER_ERROR = 0x1p-88;

  /// A bound above the logarithm of the largest double.
  private static final double LARGEST_LOGARITHM = 710;

  /// A bound below the logarithm of half the smallest double.
  private static final double SMALLEST_LOGARITHM = -746;

  private static final int COSINE_TERMS = 16;
  private static final int EXPONENTIAL_TERMS = 26;
  private static final int LOGARITHM_TERMS = 24;

  /// 1 / k!, as pairs of a high and a low part.
  private static final double[] EXPONENTIAL = new double[2 * EXPONENTIAL_TERMS];

  /// (-1)^k / (2k)!, as pairs of a high and a low part.
  private static final double[] COSINE = new double[2 * COSINE_TERMS];

  /// (-1)^k / (2k + 1)!, as pairs of a high and a low part.
  private static final double[] SINE = new double[2 * COSINE_TERMS];

  /// 1 / (2k + 1), as pairs of a high and a low part.
  private static final double[] LOGARITHM = new double[2 * LOGARITHM_TERMS];

  static {
    double high = 1;
    double low = 0;
    for (int k = 0; k < 2 * COSINE_TERMS; k++) {
      if (k > 0) {
        double quotient = high / k;
        low = (Math.fma(-quotient, k, high) + low) / k;
        high = quotient;
      }
      if (k < EXPONENTIAL_TERMS) {
        set(EXPONENTIAL, k, high, low);
      }
      int sign = k % 4 < 2 ? 1 : -1;
      set(k % 2 == 0 ? COSINE : SINE, k / 2, sign * high, sign * low);
    }
    for (int k = 0; k < LOGARITHM_TERMS; k++) {
      double inverse = 1.0 / (2 * k + 1);
      set(LOGARITHM, k, inverse, Math.fma(-inverse, 2 * k + 1, 1) / (2 * k + 1));
    }
  }

  private CorrectlyRounded() {}

  private static void set(double[] series, int k, double high, double low) {
    series[2 * k] = high;
    series[2 * k + 1] = low;
  }

  /// The correctly rounded cosine of an angle.
  ///
  /// @param angle in radians, from -[#LARGEST_ANGLE] to [#LARGEST_ANGLE]
  /// @throws IllegalArgumentException if the magnitude is larger, or the angle is NaN
  public static double cos(double angle) {
    if (!(Math.abs(angle) <= LARGEST_ANGLE)) {
      throw new IllegalArgumentException(
          "angle is " + angle + ", but must be at most 2^30 in magnitude");
    }
    // angle = turns * pi / 2 + (high, low), with a remainder of at most pi / 4
    double turns = Math.rint(angle / HALF_PI);
    double product = turns * HALF_PI;
    double productLow = Math.fma(turns, HALF_PI, -product);
    double product2 = turns * HALF_PI_2;
    double product2Low = Math.fma(turns, HALF_PI_2, -product2);
    double rest = angle - product;
    double sum = rest - productLow;
    double part = sum - rest;
    double sumLow = (rest - (sum - part)) - (productLow + part);
    double sum2 = sum - product2;
    part = sum2 - sum;
    double sum2Low = (sum - (sum2 - part)) - (product2 + part);
    double tail = sumLow + (sum2Low - product2Low - turns * HALF_PI_3);
    double high = sum2 + tail;
    double low = tail - (high - sum2);

    double square = high * high;
    double squareLow = Math.fma(high, high, -square) + 2 * high * low;
    int quarter = (int) turns & 3;
    double[] series = (quarter & 1) == 0 ? COSINE : SINE;
    double h = series[2 * COSINE_TERMS - 2];
    double l = series[2 * COSINE_TERMS - 1];
    for (int k = COSINE_TERMS - 2; k >= 0; k--) {
      double p = h * square;
      double q = Math.fma(h, square, -p) + (h * squareLow + l * square);
      double c = series[2 * k];
      double s = c + p;
      q += (p - (s - c)) + series[2 * k + 1];
      h = s + q;
      l = q - (h - s);
    }
    double result = h;
    if ((quarter & 1) == 1) {
      double p = h * high;
      result = p + (Math.fma(h, high, -p) + (h * low + l * high));
    }
    return quarter == 1 || quarter == 2 ? -result : result;
  }

  /// The correctly rounded power. Special cases are as in C's `pow`: 1 to any power is 1, any
  /// number to the power of 0 is 1, and -1 to an infinite power is 1.
  public static double pow(double base, double exponent) {
    if (base == 1 || exponent == 0 || (base == -1 && Double.isInfinite(exponent))) {
      return 1;
    }
    if (base == 0 || !Double.isFinite(base) || !Double.isFinite(exponent)) {
      return StrictMath.pow(base, exponent);
    }
    if (base > 0) {
      return positivePower(base, exponent);
    }
    if (exponent != Math.rint(exponent)) {
      return Double.NaN;
    }
    double magnitude = base == -1 ? 1 : positivePower(-base, exponent);
    boolean odd = Math.IEEEremainder(exponent, 2) != 0;
    return odd ? -magnitude : magnitude;
  }

  private static double positivePower(double base, double exponent) {
    // base = mantissa * 2^scale, with a mantissa from sqrt(1/2) to sqrt(2)
    boolean small = base < Double.MIN_NORMAL;
    double normal = small ? base * 0x1p54 : base;
    int scale = Math.getExponent(normal);
    double mantissa = Math.scalb(normal, -scale);
    if (mantissa > SQUARE_ROOT_2) {
      mantissa /= 2;
      scale++;
    }
    if (small) {
      scale -= 54;
    }

    // log(mantissa) = 2 * (w + w^3 / 3 + w^5 / 5 + ...), w = (mantissa - 1) / (mantissa + 1)
    double above = mantissa - 1;
    double below = mantissa + 1;
    double belowLow = mantissa - (below - 1);
    double w = above / below;
    double wLow = (Math.fma(-w, below, above) - w * belowLow) / below;
    double square = w * w;
    double squareLow = Math.fma(w, w, -square) + 2 * w * wLow;
    double h = LOGARITHM[2 * LOGARITHM_TERMS - 2];
    double l = LOGARITHM[2 * LOGARITHM_TERMS - 1];
    for (int k = LOGARITHM_TERMS - 2; k >= 0; k--) {
      double p = h * square;
      double q = Math.fma(h, square, -p) + (h * squareLow + l * square);
      double c = LOGARITHM[2 * k];
      double s = c + p;
      q += (p - (s - c)) + LOGARITHM[2 * k + 1];
      h = s + q;
      l = q - (h - s);
    }
    double p = 2 * w * h;
    double q = Math.fma(2 * w, h, -p) + 2 * (w * l + wLow * h);

    // plus scale * log 2, which is 0 or larger
    double scaled = scale * LOG_2;
    double scaledLow = Math.fma(scale, LOG_2, -scaled);
    double sum = scaled + p;
    double part = sum - scaled;
    q += ((scaled - (sum - part)) + (p - part)) + (scaledLow + scale * LOG_2_2);
    double log = sum + q;
    double logLow = q - (log - sum);

    double power = exponent * log;
    double powerLow = Math.fma(exponent, log, -power) + exponent * logLow;
    if (power > LARGEST_LOGARITHM) {
      return Double.POSITIVE_INFINITY;
    }
    if (power < SMALLEST_LOGARITHM) {
      return 0;
    }

    // (power, powerLow) = twos * log 2 + (t, tLow)
    double twos = Math.rint(power / LOG_2);
    double product = twos * LOG_2;
    double productLow = Math.fma(twos, LOG_2, -product);
    double product2 = twos * LOG_2_2;
    double rest = power - product;
    double restLow = powerLow - Math.fma(twos, LOG_2_2, -product2) - twos * LOG_2_3;
    sum = rest - productLow;
    part = sum - rest;
    restLow += (rest - (sum - part)) - (productLow + part);
    double sum2 = sum - product2;
    part = sum2 - sum;
    restLow += (sum - (sum2 - part)) - (product2 + part);
    double t = sum2 + restLow;
    double tLow = restLow - (t - sum2);

    h = EXPONENTIAL[2 * EXPONENTIAL_TERMS - 2];
    l = EXPONENTIAL[2 * EXPONENTIAL_TERMS - 1];
    for (int k = EXPONENTIAL_TERMS - 2; k >= 0; k--) {
      p = h * t;
      q = Math.fma(h, t, -p) + (h * tLow + l * t);
      double c = EXPONENTIAL[2 * k];
      double s = c + p;
      q += (p - (s - c)) + EXPONENTIAL[2 * k + 1];
      h = s + q;
      l = q - (h - s);
    }
    double error = h * POWER_ERROR;
    boolean decided = h + (l - error) == h + (l + error);
    if (!decided || twos < Double.MIN_EXPONENT + 1) {
      return ExactPow.of(base, exponent);
    }
    return Math.scalb(h, (int) twos);
  }
}
