package dev.panoptim.internal.ffm;

import dev.panoptim.internal.bindings.panoptim_coefficients;
import dev.panoptim.internal.step.Coefficients;
import java.lang.foreign.MemorySegment;

/// Writes coefficients for native code.
final class NativeCoefficients {
  private NativeCoefficients() {}

  static void write(Coefficients from, MemorySegment to) {
    writeVersion(from, to);
    writeStep(from, to);
  }

  /// Writes the coefficients that change at each step.
  static void writeStep(Coefficients from, MemorySegment to) {
    panoptim_coefficients.epsilon_inside(to, from.epsilonInside);
    panoptim_coefficients.epsilon(to, from.epsilon);
    panoptim_coefficients.step_size(to, from.stepSize);
  }

  /// Writes the coefficients that [Coefficients#version()] covers.
  static void writeVersion(Coefficients from, MemorySegment to) {
    panoptim_coefficients.gradient_scale(to, from.gradientScale);
    panoptim_coefficients.average_take(to, from.averageTake);
    panoptim_coefficients.clipped_scale(to, from.clippedScale);
    panoptim_coefficients.weight_decay(to, from.weightDecay);
    panoptim_coefficients.first_decay(to, from.firstDecay);
    panoptim_coefficients.first_decay_rest(to, from.firstDecayRest);
    panoptim_coefficients.first_take(to, from.firstTake);
    panoptim_coefficients.second_decay(to, from.secondDecay);
    panoptim_coefficients.second_decay_rest(to, from.secondDecayRest);
    panoptim_coefficients.second_take(to, from.secondTake);
    panoptim_coefficients.nesterov_input(to, from.nesterovInput);
    panoptim_coefficients.nesterov_moment(to, from.nesterovMoment);
    panoptim_coefficients.divides(to, from.divides);
    for (int i = 0; i < from.special.length; i++) {
      panoptim_coefficients.special(to, i, from.special[i]);
    }
  }
}
