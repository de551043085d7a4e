package dev.panoptim.schedule;

import dev.panoptim.internal.math.CorrectlyRounded;
import java.util.List;

/// A factor at each milestone, see [Schedules#multiStep] (PyTorch: MultiStepLR).
///
/// @param milestones the steps, ascending; a step that occurs twice counts twice
/// @param gamma the factor
record MultiStep(List<Long> milestones, double gamma) implements Schedule {
  MultiStep {
    for (long each : milestones) {
      Require.atLeast(0, each, "a milestone");
    }
    milestones = milestones.stream().sorted().toList();
    Require.notNegative(gamma, "gamma");
  }

  @Override
  public double at(long step, double initial) {
    return initial * CorrectlyRounded.pow(gamma, upTo(step));
  }

  @Override
  public double next(long step, double previous, double initial) {
    int here = upTo(step) - upTo(step - 1);
    return here == 0 ? previous : previous * CorrectlyRounded.pow(gamma, here);
  }

  private int upTo(long step) {
    int count = 0;
    while (count < milestones.size() && milestones.get(count) <= step) {
      count++;
    }
    return count;
  }

  @Override
  public String toString() {
    return "multiStep(milestones=" + milestones + ", gamma=" + gamma + ")";
  }
}
