package dev.panoptim.schedule;

import java.util.Objects;

/// PyTorch's OneCycleLR, for the learning rate as for the momentum: from `start` to `peak`, then to
/// `end`, or with three phases back to `start` and then to `end`.
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
              + ", but must not be 1 / totalSteps: the way to the peak would have no length");
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
