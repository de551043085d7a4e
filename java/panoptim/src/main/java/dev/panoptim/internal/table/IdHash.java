package dev.panoptim.internal.table;

/// The hash of an id: the finalizer of SplitMix64.
///
/// The function is variant 13 of the mixers by David Stafford, "Better Bit Mixing" (2011), with the
/// structure of MurmurHash3's finalizer by Austin Appleby. Guy Steele, Doug Lea and Christine Flood
/// chose it in "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014).
///
/// Different ids have different hashes, because each step can be undone. The constants are fixed,
/// so that equal histories have equal results in every process. Whoever chooses ids can therefore
/// also choose the bits of their hashes.
final class IdHash {
  /// The increment of SplitMix64: the golden ratio, as an odd number.
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private IdHash() {}

  static long of(long id) {
    long z = id;
    z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    return z ^ z >>> 31;
  }

  /// Another hash of the same id for each number.
  ///
  /// @param hash the hash of the id
  /// @param number 0 or more
  static long another(long hash, int number) {
    return of(hash + GOLDEN * (number + 1));
  }
}
