package dev.panoptim.internal.table;

/// A mixing function of 64 bits: a bijection, each of whose output bits depends on all input bits.
final class Mixer {
  private Mixer() {}

  /// The finalizer of SplitMix64: [Steele, Lea and Flood
  /// 2014](https://doi.org/10.1145/2660193.2660195), with the constants of variant 13 by David
  /// Stafford.
  static long mix(long x) {
    long z = (x ^ x >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    return z ^ z >>> 31;
  }
}
