package dev.panoptim.schedule;

import java.util.Objects;

/// Cycles from `rest` to `peak` and back, see [Schedules#cyclic] (PyTorch: CyclicLR). The peak is
/// the higher value for a learning rate, and the lower value for a momentum.
///
/// @param rest the value at the beginning of a cycle
/// @param peak the value in the middle of a cycle
/// @param stepSizeUp the number of steps from `rest` to `peak`
/// @param stepSizeDown the number of steps from `peak` to `rest`
/// @param mode how the height of the cycles changes
/// @param gamma the factor of [CyclicMode#EXP_RANGE]
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
