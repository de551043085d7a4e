package dev.panoptim.schedule;

import java.util.Objects;

/// PyTorch's CyclicLR: from `rest` to `peak` and back. For the learning rate the peak is the higher
/// value, for the momentum the lower one.
record Cyclic(
    double rest, double peak, long stepSizeUp, long stepSizeDown, CyclicMode mode, double gamma)
    implements Schedule {
  Cyclic {
    Require.atLeast(1, stepSizeUp, "stepSizeUp");
    Require.atLeast(1, stepSizeDown, "stepSizeDown");
    Objects.requireNonNull(mode, "mode is null");
    Require.notNegative(gamma, "gamma");
  }

  @Override
  public double at(long step, double initial) {
    double size = (double) stepSizeUp + stepSizeDown;
    double ratio = stepSizeUp / size;
    double cycle = Math.floor(1 + step / size);
    double x = 1 + step / size - cycle;
    double share = x <= ratio ? x / ratio : (x - 1) / (ratio - 1);
    return rest + (peak - rest) * share * mode.scale(gamma, cycle, step);
  }

  @Override
  public String toString() {
    return "cyclic(rest="
        + rest
        + ", peak="
        + peak
        + ", stepSizeUp="
        + stepSizeUp
        + ", stepSizeDown="
        + stepSizeDown
        + ", mode="
        + mode.name()
        + ", gamma="
        + gamma
        + ")";
  }
}
