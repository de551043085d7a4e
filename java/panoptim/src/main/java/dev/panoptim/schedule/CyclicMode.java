package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;

/// What becomes of the height of the cycles of [Schedules#cyclic].
///
/// Immutable.
public enum CyclicMode {
  /// It stays.
  TRIANGULAR {
    @Override
    double scale(double gamma, double cycle, long step) {
      return 1;
    }
  },

  /// Each cycle is half as high as the one before.
  TRIANGULAR2 {
    @Override
    double scale(double gamma, double cycle, long step) {
      return 1 / CorrectlyRounded.pow(2, cycle - 1);
    }
  },

  /// It is multiplied by gamma at every step.
  EXP_RANGE {
    @Override
    double scale(double gamma, double cycle, long step) {
      return CorrectlyRounded.pow(gamma, step);
    }
  };

  /// @param cycle counted from 1
  abstract double scale(double gamma, double cycle, long step);
}
