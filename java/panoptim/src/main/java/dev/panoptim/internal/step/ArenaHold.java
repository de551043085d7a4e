package dev.panoptim.internal.step;

import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// One segment of an arena that rows use: a downcall that holds this segment open holds all memory
/// of the arena open.
///
/// Immutable and thread-safe.
///
/// @param name of the operand, for messages
public record ArenaHold(String name, MemorySegment segment) {
  /// Inherits nothing: it would keep the class loader of the first calling thread.
  private static final Thread OTHER_THREAD =
      Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});

  /// One hold for each arena, but for those that cannot be closed during a step: the global one,
  /// and those of [Row#ownStates].
  static ArenaHold[] of(List<Row> rows) {
    Map<MemorySegment.Scope, ArenaHold> found = new LinkedHashMap<>();
    for (Row row : rows) {
      found.putAll(more(found.keySet(), row));
    }
    return found.values().toArray(ArenaHold[]::new);
  }

  /// One hold for each arena of a row that is not among those known.
  public static Map<MemorySegment.Scope, ArenaHold> more(Set<MemorySegment.Scope> known, Row row) {
    Map<MemorySegment.Scope, ArenaHold> found = new LinkedHashMap<>();
    add(known, found, "data", row, row.data());
    add(known, found, "gradient", row, row.gradient());
    if (row.ownStates()) {
      return found;
    }
    for (MemorySegment state : row.states()) {
      add(known, found, "a state", row, state);
    }
    if (row.average() != null) {
      add(known, found, "average", row, row.average());
    }
    if (row.halfPrecisionCopy() != null) {
      add(known, found, "half-precision copy", row, row.halfPrecisionCopy());
    }
    return found;
  }

  private static void add(
      Set<MemorySegment.Scope> known,
      Map<MemorySegment.Scope, ArenaHold> found,
      String kind,
      Row row,
      MemorySegment segment) {
    MemorySegment.Scope scope = segment.scope();
    if (!known.contains(scope)
        && !found.containsKey(scope)
        && !scope.equals(Arena.global().scope())) {
      found.put(scope, new ArenaHold(kind + " of '" + row.name() + "'", segment));
    }
  }

  static boolean anyConfined(ArenaHold[] holds) {
    for (ArenaHold hold : holds) {
      if (!hold.segment.isAccessibleBy(OTHER_THREAD)) {
        return true;
      }
    }
    return false;
  }

  void requireAlive() {
    TensorChecks.requireAlive(name, segment);
  }
}
