package dev.panoptim.internal.step;

import dev.panoptim.device.Device;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.rule.Rule;

/// What all rows of a group have in common.
///
/// Immutable.
///
/// @param rule the composition, which decides what states a row has
/// @param device where data, gradients and half-precision copies lie
/// @param stateDevice where states and averages lie
/// @param averages whether rows have averages
/// @param halfPrecision the format of the rows' half-precision copies; `null` if they have none
public record RowFormat(
    Rule rule, Device device, Device stateDevice, boolean averages, HalfPrecision halfPrecision) {
  /// Rows whose memory is all the CPU's.
  public static RowFormat onCpu(Rule rule, boolean averages, HalfPrecision halfPrecision) {
    return new RowFormat(rule, Device.cpu(), Device.cpu(), averages, halfPrecision);
  }

  /// Rows that have data and gradients alone.
  public static RowFormat withoutStates(Device device) {
    return new RowFormat(Rule.builder().build(), device, device, false, null);
  }
}
