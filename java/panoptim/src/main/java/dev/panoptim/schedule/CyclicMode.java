package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;

/// How the height of the cycles of [Schedules#cyclic] changes.
///
/// Immutable and thread-safe.
public enum CyclicMode {
  /// All cycles have the same height.
  TRIANGULAR {
    @Override
    double scale(double gamma, double cycle, long step) {
      return 1;
    }
  },

  /// Each cycle is half as high as the previous one.
  TRIANGULAR2 {
    @Override
    double scale(double gamma, double cycle, long step) {
      return 1 / CorrectlyRounded.pow(2, cycle - 1);
    }
  },

  /// The height is multiplied by `gamma` at every step.
  EXP_RANGE {
    @Override
    double scale(double gamma, double cycle, long step) {
      return CorrectlyRounded.pow(gamma, step);
    }
  };

  /// The factor of the height.
  ///
  /// @param cycle the number of the cycle, counted from 1
  abstract double scale(double gamma, double cycle, long step);
}
