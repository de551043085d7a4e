package dev.panoptim.backend;

import dev.panoptim.memory.Streams;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
