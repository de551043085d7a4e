package dev.panoptim.internal.step;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// The states of a row by the names of [dev.panoptim.rule.Rule#stateNames()], which is the one
/// order of states.
///
/// Immutable and thread-safe.
public record States(List<String> names, List<MemorySegment> segments) {
  /// Allocates nothing.
  ///
  /// @return `null` where the rule has no such state
  public MemorySegment named(String name) {
    int place = names.indexOf(name);
    return place < 0 ? null : segments.get(place);
  }
}
