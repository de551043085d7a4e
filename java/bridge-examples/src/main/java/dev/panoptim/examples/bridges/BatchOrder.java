package dev.panoptim.examples.bridges;

import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// An endless order of batches: all of them in a random order, then again in another one.
///
/// Not thread-safe.
final class BatchOrder {
  private final SplittableRandom random;
  private final int[] batches;
  private int next;

  /// @param batches number of batches, 1 or more
  BatchOrder(int batches, SplittableRandom random) {
    this.random = random;
    this.batches = IntStream.range(0, batches).toArray();
    next = batches;
  }

  int next() {
    if (next == batches.length) {
      next = 0;
      for (int i = batches.length - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int held = batches[i];
        batches[i] = batches[j];
        batches[j] = held;
      }
    }
    return batches[next++];
  }
}
