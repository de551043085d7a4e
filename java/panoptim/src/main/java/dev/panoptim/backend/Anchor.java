package dev.panoptim.backend;

import dev.panoptim.memory.Streams;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// One segment out of an arena that a plan uses: whoever holds on to it holds on to all streams of
/// that arena.
///
/// @param name of the stream, for messages
record Anchor(String name, MemorySegment segment) {
  private static final Thread OTHER_THREAD = Thread.ofPlatform().unstarted(() -> {});

  /// One anchor for each arena, but for the global one, which nobody can close.
  static Anchor[] of(List<StepPlan.Row> rows) {
    Map<MemorySegment.Scope, Anchor> found = new LinkedHashMap<>();
    for (StepPlan.Row row : rows) {
      add(found, "data", row, row.data());
      add(found, "gradient", row, row.gradient());
      for (MemorySegment state : row.states()) {
        add(found, "a state", row, state);
      }
      if (row.average() != null) {
        add(found, "average", row, row.average());
      }
      if (row.shadow() != null) {
        add(found, "shadow", row, row.shadow());
      }
    }
    found.remove(Arena.global().scope());
    return found.values().toArray(Anchor[]::new);
  }

  private static void add(
      Map<MemorySegment.Scope, Anchor> found,
      String kind,
      StepPlan.Row row,
      MemorySegment segment) {
    if (!found.containsKey(segment.scope())) {
      found.put(segment.scope(), new Anchor(kind + " of '" + row.name() + "'", segment));
    }
  }

  /// Whether some scopes are those of all arenas that a row lies in, but for the global one.
  static boolean areIn(Set<MemorySegment.Scope> scopes, StepPlan.Row row) {
    if (!isIn(scopes, row.gradient()) || !isIn(scopes, row.data())) {
      return false;
    }
    for (MemorySegment state : row.states()) {
      if (!isIn(scopes, state)) {
        return false;
      }
    }
    return isIn(scopes, row.average()) && isIn(scopes, row.shadow());
  }

  private static boolean isIn(Set<MemorySegment.Scope> scopes, MemorySegment segment) {
    return segment == null
        || scopes.contains(segment.scope())
        || segment.scope().equals(Arena.global().scope());
  }

  static boolean anyConfined(Anchor[] anchors) {
    for (Anchor anchor : anchors) {
      if (!anchor.segment.isAccessibleBy(OTHER_THREAD)) {
        return true;
      }
    }
    return false;
  }

  void requireAlive() {
    Streams.requireAlive(name, segment);
  }
}
