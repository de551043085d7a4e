package dev.panoptim.internal.step;

import dev.panoptim.device.Device;
import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.Update;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/// The values of states before the first step. Most start from 0. The z of a schedule-free update
/// is not set here: the first step takes the parameter for it, whose data may change until then.
final class InitialStates {
  private InitialStates() {}

  /// Sets the states that do not start from 0.
  ///
  /// @param states of the parameter, in the order of [Rule#stateNames()]; all 0
  /// @param stateDevice where the states lie
  static void set(
      Rule rule,
      Parameter parameter,
      List<MemorySegment> states,
      Map<Hyperparameter, Double> values,
      Device stateDevice) {
    List<String> names = rule.stateNames();
    if (rule.secondMoment() == SecondMoment.SUM
        || rule.secondMoment() == SecondMoment.SIGNED_AVERAGE) {
      float initial = values.get(Hyperparameter.INITIAL_ACCUMULATOR).floatValue();
      stateDevice.fill(states.get(names.indexOf("secondMoment")), parameter.size(), initial);
      if (rule.secondMoment() == SecondMoment.SIGNED_AVERAGE) {
        stateDevice.fill(states.get(names.indexOf("firstMoment")), parameter.size(), initial);
      }
    }
    if (rule.update() == Update.SIGN_STEPS) {
      float initial = values.get(Hyperparameter.LEARNING_RATE).floatValue();
      stateDevice.fill(states.get(names.indexOf("stepSizes")), parameter.size(), initial);
    }
  }
}
