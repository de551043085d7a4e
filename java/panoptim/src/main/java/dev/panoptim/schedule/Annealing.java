package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;

/// How [Schedules#oneCycle] gets from one value to the next.
///
/// Immutable.
public enum Annealing {
  /// Along half a wave of the cosine.
  COSINE {
    @Override
    double between(double start, double end, double share) {
      return end + (start - end) / 2 * (CorrectlyRounded.cos(Math.PI * share) + 1);
    }
  },

  /// By equal amounts.
  LINEAR {
    @Override
    double between(double start, double end, double share) {
      return (end - start) * share + start;
    }
  };

  /// @param share of the way, from 0 to 1
  abstract double between(double start, double end, double share);
}
