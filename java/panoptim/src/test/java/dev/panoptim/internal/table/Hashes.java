package dev.panoptim.internal.table;

/// Finds ids with chosen hashes: the inverse of [IdHash].
final class Hashes {
  private Hashes() {}

  static long idWith(long hash) {
    long z = hash ^ hash >>> 31 ^ hash >>> 62;
    z *= inverse(0x94d049bb133111ebL);
    z = z ^ z >>> 27 ^ z >>> 54;
    z *= inverse(0xbf58476d1ce4e5b9L);
    return z ^ z >>> 30 ^ z >>> 60;
  }

  /// Newton's iteration modulo 2^64: each turn doubles the number of right bits.
  private static long inverse(long odd) {
    long inverse = odd;
    for (int i = 0; i < 5; i++) {
      inverse *= 2 - odd * inverse;
    }
    return inverse;
  }
}
