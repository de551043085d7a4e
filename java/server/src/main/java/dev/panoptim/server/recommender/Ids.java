package dev.panoptim.server.recommender;

/// The 64-bit ids of users and items, spread over all numbers as hashes of names would be.
final class Ids {
  private static final long ITEMS = 1L << 32;

  private Ids() {}

  static long user(int number) {
    return mix(number);
  }

  static long item(int number) {
    return mix(ITEMS + number);
  }

  /// The finalizer of SplitMix64, which maps different numbers to different ones.
  private static long mix(long number) {
    long z = number + 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
