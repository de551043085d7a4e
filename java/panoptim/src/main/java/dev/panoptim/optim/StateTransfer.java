package dev.panoptim.optim;

import dev.panoptim.device.Device;
import dev.panoptim.internal.step.StateMemory;
import dev.panoptim.internal.step.TrackedGroup;
import dev.panoptim.internal.step.TrackedParameter;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Copies an optimizer's states to state dicts and from them.
///
/// Not thread-safe.
final class StateTransfer {
  private final StateMemory memory;
  private final List<TrackedGroup> groups;
  private final Runnable dropPlans;
  private final Device stateDevice;

  /// @param groups a live view of the groups
  /// @param dropPlans closes the plans of steps
  StateTransfer(StateMemory memory, List<TrackedGroup> groups, Runnable dropPlans) {
    this.memory = memory;
    this.groups = groups;
    this.dropPlans = dropPlans;
    stateDevice = memory.format().stateDevice();
  }

  /// A copy of all states.
  StateDict snapshot() {
    return stateDict(stateDevice::copyOf);
  }

  /// The states themselves, which steps change; a copy if Java cannot access the memory.
  StateDict live() {
    return stateDict(stateDevice::readable);
  }

  /// How a state is read.
  private interface StateReader {
    MemorySegment read(MemorySegment state, long bytes);
  }

  private StateDict stateDict(StateReader reader) {
    Map<String, StateDict.ParameterState> all = new LinkedHashMap<>();
    for (TrackedGroup group : groups) {
      List<String> names = memory.names(group);
      for (TrackedParameter each : group.parameters()) {
        each.refresh();
        Map<String, MemorySegment> states = each.namedStates(names);
        states.replaceAll((name, state) -> reader.read(state, each.stateBytes(name)).asReadOnly());
        all.put(
            each.name(),
            new StateDict.ParameterState(
                group.rule(),
                each.parameter().shape(),
                each.steps(),
                each.namedScalars(),
                group.values().asMap(),
                states));
      }
    }
    return new StateDict(all);
  }

  /// All reasons why a state dict cannot be loaded, a sentence for each; empty if it can.
  List<String> differences(StateDict state, Map<String, String> renaming) {
    return StateDifferences.of(state, memory, groups, renaming);
  }

  /// Loads a state dict.
  ///
  /// @throws IllegalArgumentException if it does not fit, if the address of a state is impossible,
  ///   or if a state overlaps the optimizer's memory of another state; nothing has changed
  /// @throws IllegalStateException if the arena of a state, or of data that have a half-precision
  ///   copy, has been closed; nothing has changed
  /// @throws WrongThreadException if such an arena is confined to another thread; nothing has
  ///   changed
  void load(StateDict state, Map<String, String> renaming) {
    List<String> differences = differences(state, renaming);
    if (!differences.isEmpty()) {
      throw new IllegalArgumentException(
          "the state dict does not fit: " + String.join("; ", differences));
    }
    load(state.renamed(renaming));
  }

  private void load(Map<String, StateDict.ParameterState> loaded) {
    new LoadedStates(groups, memory, loaded).requireUsable();
    if (memory.format().halfPrecision() != null) {
      StateMemory.requireData(
          groups.stream()
              .flatMap(group -> group.parameters().stream())
              .filter(
                  each -> each.halfPrecisionCopy() != null || loaded.get(each.name()).hasStates())
              .toList());
    }
    memory.allocate(
        groups,
        each -> loaded.get(each.name()).hasStates(),
        () -> {
          dropPlans.run();
          // First the copies that may fail on a GPU, so that counts never belong to missing states.
          groups.forEach(group -> loadStates(group, loaded));
          groups.forEach(group -> loadValues(group, loaded));
        });
  }

  private void loadStates(TrackedGroup group, Map<String, StateDict.ParameterState> loaded) {
    List<String> names = memory.names(group);
    for (TrackedParameter each : group.parameters()) {
      StateDict.ParameterState from = loaded.get(each.name());
      if (each.halfPrecisionCopy() != null) {
        memory.writeHalfPrecisionCopy(each);
      }
      if (from.hasStates()) {
        for (int i = 0; i < each.states().size(); i++) {
          stateDevice.upload(from.states().get(names.get(i)), each.states().get(i));
        }
      } else if (each.states() != null) {
        // The memory is kept: a new allocation would not free it until the optimizer is closed.
        for (int i = 0; i < each.states().size(); i++) {
          stateDevice.fill(each.states().get(i), each.stateSize(names.get(i)), 0);
        }
        memory.initialise(each, from.hyperparameters());
      }
    }
  }

  private void loadValues(TrackedGroup group, Map<String, StateDict.ParameterState> loaded) {
    for (TrackedParameter each : group.parameters()) {
      StateDict.ParameterState from = loaded.get(each.name());
      group.values().setAll(from.hyperparameters());
      each.set(from.steps(), from.scalars());
      each.setMeasured(from.steps() == 0 && from.hasStates());
    }
  }
}
