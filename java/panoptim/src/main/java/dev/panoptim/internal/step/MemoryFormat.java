package dev.panoptim.internal.step;

import dev.panoptim.device.Device;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.rule.Rule;

/// What the rows of all groups of an optimizer have in common.
///
/// Immutable.
///
/// @param device where data, gradients and half-precision copies lie
/// @param stateDevice where states and averages lie
/// @param averages whether rows have averages
/// @param halfPrecision the format of the rows' half-precision copies; `null` if they have none
public record MemoryFormat(
    Device device, Device stateDevice, boolean averages, HalfPrecision halfPrecision) {
  /// The format of the rows of a group.
  public RowFormat rows(Rule rule) {
    return new RowFormat(rule, device, stateDevice, averages, halfPrecision);
  }
}
