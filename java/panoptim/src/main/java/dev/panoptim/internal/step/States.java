package dev.panoptim.internal.step;

import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;

/// The states of a row by what they are; `null` where the rule has none such.
///
/// Immutable and thread-safe.
///
/// @param secondary the second moment's maximum, or the gradient's mean
public record States(
    MemorySegment first, MemorySegment second, MemorySegment secondary, MemorySegment units) {
  public static States of(Rule rule, Row row) {
    int next = 0;
    MemorySegment first = rule.hasFirstMoment() ? row.states().get(next++) : null;
    MemorySegment second = rule.hasSecondMoment() ? row.states().get(next++) : null;
    MemorySegment secondary = rule.hasSecondary() ? row.states().get(next++) : null;
    return new States(
        first, second, secondary, rule.unitCorrection() ? row.states().get(next) : null);
  }
}
