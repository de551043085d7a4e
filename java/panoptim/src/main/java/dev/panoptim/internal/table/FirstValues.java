package dev.panoptim.internal.table;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Locale;

/// The values of a row before its first step: a hash of seed, id and column. So a row has the same
/// bits whenever it is first seen, on every machine.
///
/// Immutable and thread-safe.
public final class FirstValues {
  private static final double STEPS = 0x1p53;
  private static final long COLUMN = 0x9e3779b97f4a7c15L;

  private enum Distribution {
    ZERO,
    UNIFORM,
    NORMAL
  }

  private final Distribution distribution;
  private final double scale;
  private final long seed;
  private final String description;

  private FirstValues(Distribution distribution, double scale, long seed) {
    this.distribution = distribution;
    this.scale = scale;
    description =
        isZero()
            ? "0"
            : "%s %s, seed %s".formatted(distribution.name().toLowerCase(Locale.ROOT), scale, seed);
    this.seed = IdHash.of(seed);
  }

  /// All 0.
  public static FirstValues zero() {
    return new FirstValues(Distribution.ZERO, 0, 0);
  }

  /// Uniform from `-bound` to `bound`.
  ///
  /// @throws IllegalArgumentException if the bound is no finite number of 0 or more
  public static FirstValues uniform(double bound, long seed) {
    return new FirstValues(Distribution.UNIFORM, require("bound", bound), seed);
  }

  /// Normal, with mean 0.
  ///
  /// @throws IllegalArgumentException if the deviation is no finite number of 0 or more
  public static FirstValues normal(double deviation, long seed) {
    return new FirstValues(Distribution.NORMAL, require("deviation", deviation), seed);
  }

  private static double require(String name, double value) {
    if (!(value >= 0 && value <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException(
          name + " is " + value + ", but must be a finite float of 0 or more");
    }
    return value;
  }

  /// Whether all values are 0.
  public boolean isZero() {
    return distribution == Distribution.ZERO || scale == 0;
  }

  /// All that decides the values, in words.
  public String describe() {
    return description;
  }

  /// Writes the values of a row.
  ///
  /// @param offset in bytes
  public void write(long id, int width, MemorySegment to, long offset) {
    long row = IdHash.of(id ^ seed);
    for (int column = 0; column < width; column++) {
      to.set(JAVA_FLOAT_UNALIGNED, offset + (long) column * Float.BYTES, value(row, column));
    }
  }

  private float value(long row, int column) {
    long bits = IdHash.of(row + (2L * column + 1) * COLUMN);
    return switch (distribution) {
      case ZERO -> 0;
      case UNIFORM -> (float) ((2 * fraction(bits) - 1) * scale);
      case NORMAL -> (float) (normal(bits, IdHash.of(row + (2L * column + 2) * COLUMN)) * scale);
    };
  }

  /// From 0 to 1 exclusively.
  private static double fraction(long bits) {
    return (bits >>> 11) / STEPS;
  }

  /// By Box and Muller 1958. `StrictMath` has the same bits everywhere.
  private static double normal(long first, long second) {
    double radius = Math.sqrt(-2 * StrictMath.log(1 - fraction(first)));
    return radius * StrictMath.cos(2 * Math.PI * fraction(second));
  }
}
