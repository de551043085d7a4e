package dev.panoptim.optim;

import dev.panoptim.internal.step.StateMemory;
import dev.panoptim.internal.step.TrackedGroup;
import dev.panoptim.internal.step.TrackedParameter;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The states that are to be loaded. Checks before the first write that all of them can be read.
///
/// @param memory has the names of the states
/// @param loaded by the parameter names of the optimizer
record LoadedStates(
    List<TrackedGroup> groups, StateMemory memory, Map<String, StateDict.ParameterState> loaded) {
  /// Memory of the optimizer that loading writes.
  private record Target(String name, MemorySegment memory) {}

  /// Checks all states; called before anything is changed.
  ///
  /// @throws IllegalArgumentException if the address of a state is impossible, or a state overlaps
  ///   memory of the optimizer that another state is loaded to
  /// @throws IllegalStateException if the arena of a state has been closed
  /// @throws WrongThreadException if the arena of a state is confined to another thread
  void requireUsable() {
    TreeMap<Long, Target> targets = targets();
    for (TrackedGroup group : groups) {
      List<String> names = memory.names(group);
      for (TrackedParameter each : group.parameters()) {
        StateDict.ParameterState from = loaded.get(each.name());
        for (int i = 0; from.hasStates() && i < names.size(); i++) {
          String name = "the state dict's " + names.get(i) + " of '" + each.name() + "'";
          MemorySegment source = from.states().get(names.get(i));
          long bytes = each.stateBytes(names.get(i));
          TensorChecks.requireCopyable(name, source, bytes, false);
          if (source.isNative() && bytes > 0) {
            MemorySegment own = each.states() == null ? null : each.states().get(i);
            requireApart(targets, name, source, own);
          }
        }
      }
    }
  }

  /// The memory that loading writes, by address.
  private TreeMap<Long, Target> targets() {
    TreeMap<Long, Target> all = new TreeMap<>();
    for (TrackedGroup group : groups) {
      List<String> names = memory.names(group);
      for (TrackedParameter each : group.parameters()) {
        String of = " of '" + each.name() + "'";
        for (int i = 0; each.states() != null && i < names.size(); i++) {
          add(all, names.get(i) + of, each.states().get(i), each.stateBytes(names.get(i)));
        }
        if (each.halfPrecisionCopy() != null) {
          add(all, "half-precision copy" + of, each.halfPrecisionCopy(), each.bytes() / 2);
        }
      }
    }
    return all;
  }

  /// Skips memory of a GPU: its segments have no extent, and no state of the host can overlap it.
  private static void add(
      TreeMap<Long, Target> all, String name, MemorySegment memory, long bytes) {
    if (bytes > 0 && memory.byteSize() == bytes) {
      all.put(memory.address(), new Target(name, memory));
    }
  }

  /// A state that already lies at its destination is allowed. A state at the destination of another
  /// one may be overwritten before it is read.
  private static void requireApart(
      TreeMap<Long, Target> targets, String name, MemorySegment source, MemorySegment own) {
    if (own != null && own.address() == source.address()) {
      return;
    }
    long last = source.address() + source.byteSize() - 1;
    var found = targets.floorEntry(last);
    if (found == null) {
      return;
    }
    Target target = found.getValue();
    long end = target.memory().address() + target.memory().byteSize();
    if (end > source.address()) {
      throw new IllegalArgumentException(
          "%s lies in memory of the optimizer's %s, which loading writes: load a copy of it"
              .formatted(name, target.name()));
    }
  }
}
