package dev.panoptim.server.recommender;

import java.util.OptionalDouble;

/// The share of hits among the last choices.
///
/// Thread-safe.
final class HitRate {
  private final boolean[] hits;
  private long count;
  private int sum;

  /// @param window the number of choices that count
  HitRate(int window) {
    hits = new boolean[window];
  }

  synchronized void add(boolean hit) {
    int at = (int) (count % hits.length);
    if (count >= hits.length && hits[at]) {
      sum--;
    }
    hits[at] = hit;
    sum += hit ? 1 : 0;
    count++;
  }

  /// Empty before the first choice.
  synchronized OptionalDouble value() {
    return count == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of((double) sum / Math.min(count, hits.length));
  }
}
