package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;

/// The curve of the decay at the end of [Schedules#warmupStableDecay]. `share` is the elapsed
/// fraction of the decay.
///
/// Immutable and thread-safe.
public enum DecayShape {
  /// `1 - share`
  LINEAR {
    @Override
    double left(double share) {
      return 1 - share;
    }
  },

  /// `(1 + cos(pi * share)) / 2`
  COSINE {
    @Override
    double left(double share) {
      return 0.5 * (1 + CorrectlyRounded.cos(Math.PI * share));
    }
  },

  /// `1 - sqrt(share)`
  ONE_MINUS_SQRT {
    @Override
    double left(double share) {
      return 1 - Math.sqrt(share);
    }
  };

  /// The remaining height.
  ///
  /// @param share the elapsed fraction of the decay, from 0 to 1
  /// @return from 1 down to 0
  abstract double left(double share);
}
