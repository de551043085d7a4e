package dev.panoptim.schedule;

import java.util.Objects;

/// One cycle of a learning rate or a momentum, see [Schedules#oneCycle] (PyTorch: OneCycleLR).
///
/// @param start the first value
/// @param peak the value at the end of the first phase
/// @param end the last value
/// @param totalSteps the number of steps
/// @param pctStart the fraction of the steps in the first phase
/// @param annealing the curve between two values
/// @param threePhase whether the value returns to `start` before it goes to `end`
record OneCycle(
    double start,
    double peak,
    double end,
    long totalSteps,
    double pctStart,
    Annealing annealing,
    boolean threePhase)
    implements Schedule {
  OneCycle {
    Require.atLeast(1, totalSteps, "totalSteps");
    Require.from0To1(pctStart, "pctStart");
    if (pctStart * totalSteps == 1) {
      throw new IllegalArgumentException(
          "pctStart is "
              + pctStart
              + ", but must not be 1 / totalSteps: the first phase would have no length");
    }
    Objects.requireNonNull(annealing, "annealing is null");
  }

  @Override
  public double at(long step, double initial) {
    long last = totalSteps - 1;
    double now = Math.min(step, last);
    double firstEnd = pctStart * totalSteps - 1;
    if (now <= firstEnd) {
      return annealing.between(start, peak, now / firstEnd);
    }
    if (!threePhase) {
      return annealing.between(peak, end, (now - firstEnd) / (last - firstEnd));
    }
    double secondEnd = 2 * pctStart * totalSteps - 2;
    return now <= secondEnd
        ? annealing.between(peak, start, (now - firstEnd) / (secondEnd - firstEnd))
        : annealing.between(start, end, (now - secondEnd) / (last - secondEnd));
  }

  @Override
  public String toString() {
    return "oneCycle(start="
        + start
        + ", peak="
        + peak
        + ", end="
        + end
        + ", totalSteps="
        + totalSteps
        + ", pctStart="
        + pctStart
        + ", annealing="
        + annealing.name()
        + ", threePhase="
        + threePhase
        + ")";
  }
}
