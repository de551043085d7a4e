package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;

/// The curve between two values of [Schedules#oneCycle].
///
/// Immutable and thread-safe.
public enum Annealing {
  /// Half a period of the cosine.
  COSINE {
    @Override
    double between(double start, double end, double share) {
      return end + (start - end) / 2 * (CorrectlyRounded.cos(Math.PI * share) + 1);
    }
  },

  /// A straight line.
  LINEAR {
    @Override
    double between(double start, double end, double share) {
      return (end - start) * share + start;
    }
  };

  /// The value between `start` and `end`.
  ///
  /// @param share the elapsed fraction, from 0 to 1
  abstract double between(double start, double end, double share);
}
