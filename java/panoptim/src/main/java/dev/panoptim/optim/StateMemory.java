package dev.panoptim.optim;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.RowFormat;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.tensor.Layout;
import dev.panoptim.internal.tensor.SharedFile;
import dev.panoptim.internal.tensor.Slab;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/// Where the states of an optimizer's parameters lie, what they start from, how they are copied and
/// loaded, and what steps see of them.
final class StateMemory {
  /// Slab streams 0 and 1 are data and gradients.
  private static final int FIRST_STATE_STREAM = 2;

  static final String AVERAGE = "average";

  private static final long PAGE = 4096;

  private final Rule rule;

  /// The rule's, and after them the average of the parameter where one is kept.
  private final List<String> names;

  /// Of the copies in 16 bits, `null` where there are none.
  private final HalfPrecision halfPrecision;

  /// Where parameters and their copies in 16 bits lie.
  private final Device device;

  /// Where states and averages lie.
  private final Device stateDevice;

  private final List<Slab> slabs = new ArrayList<>();
  private final Origin origin = Origin.here("an optimizer");
  private final OwnedArena mapping = OwnedArena.of(MemoryKind.STATES, origin);

  StateMemory(
      Rule rule, boolean averages, HalfPrecision halfPrecision, Device device, Device stateDevice) {
    this.rule = rule;
    this.device = device;
    this.stateDevice = stateDevice;
    this.halfPrecision = halfPrecision;
    names = new ArrayList<>(rule.stateNames());
    if (averages) {
      names.add(AVERAGE);
    }
  }

  /// What each parameter has once it has made a step.
  List<String> names() {
    return names;
  }

  /// Gives all parameters states and counts in a file, and what these start from if the file is
  /// new.
  ///
  /// @throws IllegalArgumentException as [SharedFile#map]
  void share(Path file, List<TrackedGroup> groups) {
    List<TrackedParameter> all =
        groups.stream().flatMap(group -> Arrays.stream(group.parameters)).toList();
    if (halfPrecision != null) {
      requireData(all);
    }
    Layout layout = layout(all);
    long counts = Math.ceilDiv(all.size() * SharedCount.BYTES, PAGE) * PAGE;
    String tensors =
        all.stream()
            .map(each -> each.parameter.name() + "=" + each.parameter.size())
            .collect(Collectors.joining(", "));
    SharedFile.map(
        mapping,
        file,
        "the states " + names + " of {" + tensors + "} under " + rule,
        counts + layout.bytes(),
        (memory, fresh) -> {
          adopt(all, memory, counts, layout);
          if (fresh) {
            start(groups);
          }
        });
    all.forEach(TrackedParameter::refresh);
    if (halfPrecision != null) {
      slabs.add(halfPrecisionCopies(all));
    }
  }

  private void start(List<TrackedGroup> groups) {
    for (TrackedGroup group : groups) {
      for (TrackedParameter each : group.parameters) {
        each.set(0, 1);
        initialise(each, group.group.values().asMap());
      }
    }
  }

  private Layout layout(Collection<TrackedParameter> parameters) {
    return layout(parameters, Parameter::size, FIRST_STATE_STREAM, names.size());
  }

  /// Two numbers of 16 bits take the place of one float.
  private Layout halfPrecisionLayout(Collection<TrackedParameter> parameters) {
    return layout(
        parameters, each -> Math.ceilDiv(each.size(), 2L), FIRST_STATE_STREAM + names.size(), 1);
  }

  private static Layout layout(
      Collection<TrackedParameter> parameters,
      ToLongFunction<Parameter> size,
      int first,
      int count) {
    return new Layout(
        parameters.stream().map(each -> each.parameter.name()).toList(),
        parameters.stream().mapToLong(each -> size.applyAsLong(each.parameter)).toArray(),
        first,
        count);
  }

  private static void adopt(
      List<TrackedParameter> all, MemorySegment memory, long counts, Layout layout) {
    for (int i = 0; i < all.size(); i++) {
      all.get(i).shared = new SharedCount(memory.asSlice(i * SharedCount.BYTES, SharedCount.BYTES));
    }
    adopt(all, layout.slices(memory.asSlice(counts)));
  }

  /// Gives states to the parameters that need some and have none, and keeps them if the action
  /// succeeds.
  void allocate(List<TrackedGroup> groups, Predicate<TrackedParameter> needed, Runnable action) {
    Map<TrackedParameter, TrackedGroup> fresh = new LinkedHashMap<>();
    for (TrackedGroup group : groups) {
      for (TrackedParameter each : group.parameters) {
        if (each.states == null && needed.test(each)) {
          fresh.put(each, group);
        }
      }
    }
    if (fresh.isEmpty()) {
      action.run();
      return;
    }
    List<Slab> taken = new ArrayList<>();
    try {
      taken.add(Slab.allocate(layout(fresh.keySet()), stateDevice, origin, MemoryKind.STATES));
      adopt(fresh.keySet(), taken.getLast().streams());
      if (halfPrecision != null) {
        taken.add(halfPrecisionCopies(fresh.keySet()));
      }
      fresh.forEach((each, group) -> initialise(each, group.group.values().asMap()));
      action.run();
    } catch (Throwable e) {
      for (TrackedParameter each : fresh.keySet()) {
        each.states = null;
        each.halfPrecisionCopy = null;
      }
      taken.forEach(Slab::close);
      throw e;
    }
    slabs.addAll(taken);
  }

  /// Memory for copies in 16 bits, which are what a step would leave: until there is one, nobody
  /// else writes them.
  private Slab halfPrecisionCopies(Collection<TrackedParameter> parameters) {
    requireData(parameters);
    Slab slab =
        Slab.allocate(
            halfPrecisionLayout(parameters), device, origin, MemoryKind.HALF_PRECISION_COPIES);
    int tensor = 0;
    for (TrackedParameter each : parameters) {
      each.halfPrecisionCopy =
          device.slice(slab.streams()[0][tensor++], 0, each.parameter.size() * Short.BYTES);
      writeHalfPrecisionCopy(each);
    }
    return slab;
  }

  private static void adopt(Collection<TrackedParameter> parameters, MemorySegment[][] streams) {
    int i = 0;
    for (TrackedParameter each : parameters) {
      int tensor = i++;
      each.states = Arrays.stream(streams).map(stream -> stream[tensor]).toList();
    }
  }

  /// Gives a sum of squares what it starts from; all else starts from 0.
  private void initialise(TrackedParameter fresh, Map<Hyperparameter, Double> values) {
    if (rule.secondMoment() == SecondMoment.SUM) {
      MemorySegment sum = fresh.states.get(rule.stateNames().indexOf("secondMoment"));
      float initial = values.get(Hyperparameter.INITIAL_ACCUMULATOR).floatValue();
      stateDevice.fill(sum, fresh.parameter.size(), initial);
    }
  }

  /// What a step works on, for each group: the parameters that have a gradient now.
  ///
  /// @throws IllegalArgumentException as [StepPlan#of]
  List<StepPlan> plans(List<TrackedGroup> groups) {
    List<List<Row>> rows =
        groups.stream()
            .map(group -> Arrays.stream(group.withGradient()).map(this::row).toList())
            .toList();
    return StepPlan.of(new RowFormat(rule, device, stateDevice, averages(), halfPrecision), rows);
  }

  private Row row(TrackedParameter each) {
    return new Row(
        each.parameter.name(),
        each.parameter.size(),
        each.parameter.data(),
        each.parameter.gradient(),
        each.states.subList(0, rule.stateNames().size()),
        averages() ? each.states.getLast() : null,
        each.halfPrecisionCopy,
        each.published);
  }

  private boolean averages() {
    return names.contains(AVERAGE);
  }

  /// Writes the copies in 16 bits anew, where there are any: all or none.
  ///
  /// @throws IllegalStateException if the arena of a parameter that has one has been closed
  /// @throws WrongThreadException if it is confined to another thread
  void writeHalfPrecisionCopies(List<TrackedGroup> groups) {
    List<TrackedParameter> written =
        groups.stream()
            .flatMap(group -> Arrays.stream(group.parameters))
            .filter(each -> each.halfPrecisionCopy != null)
            .toList();
    requireData(written);
    written.forEach(this::writeHalfPrecisionCopy);
  }

  /// Checks that this thread can read the data of some parameters now.
  private static void requireData(Collection<TrackedParameter> parameters) {
    for (TrackedParameter each : parameters) {
      TensorChecks.requireAlive("data of '" + each.parameter.name() + "'", each.parameter.data());
    }
  }

  private void writeHalfPrecisionCopy(TrackedParameter each) {
    long size = each.parameter.size();
    MemorySegment data = device.readable(each.parameter.data(), size * Float.BYTES);
    if (device.isCpu()) {
      halfPrecision.write(data, each.halfPrecisionCopy, 0, size);
    } else {
      MemorySegment written =
          new CollectedMemory(MemoryKind.TABLES).allocate(size * Short.BYTES, Short.BYTES);
      halfPrecision.write(data, written, 0, size);
      device.upload(written, each.halfPrecisionCopy);
    }
  }

  /// A copy of everything.
  StateDict snapshot(List<TrackedGroup> groups) {
    return stateDict(groups, stateDevice::copyOf);
  }

  /// Everything as it lies here, if Java can reach it: steps change it.
  StateDict live(List<TrackedGroup> groups) {
    return stateDict(groups, stateDevice::readable);
  }

  /// How a state is taken, of which the bytes are given.
  private interface Taking {
    MemorySegment take(MemorySegment state, long bytes);
  }

  private StateDict stateDict(List<TrackedGroup> groups, Taking taking) {
    Map<String, StateDict.ParameterState> all = new LinkedHashMap<>();
    for (TrackedGroup group : groups) {
      for (TrackedParameter each : group.parameters) {
        each.refresh();
        Map<String, MemorySegment> states = each.namedStates(names);
        long bytes = each.parameter.size() * Float.BYTES;
        states.replaceAll((name, state) -> taking.take(state, bytes).asReadOnly());
        all.put(
            each.parameter.name(),
            new StateDict.ParameterState(
                each.parameter.size(),
                each.steps(),
                each.momentumProduct(),
                group.group.values().asMap(),
                states));
      }
    }
    return new StateDict(rule, all);
  }

  /// Takes over what has been checked to fit.
  ///
  /// @throws IllegalArgumentException if a state says to be where no memory can be, or shares bytes
  ///   with another one's place here
  /// @throws IllegalStateException if the arena of a state, or of data that are copied in 16 bits,
  ///   has been closed
  /// @throws WrongThreadException if such an arena is confined to another thread
  void load(List<TrackedGroup> groups, Map<String, StateDict.ParameterState> loaded) {
    new LoadedStates(groups, names, loaded).requireUsable();
    if (halfPrecision != null) {
      requireData(
          groups.stream()
              .flatMap(group -> Arrays.stream(group.parameters))
              .filter(
                  each ->
                      each.halfPrecisionCopy != null
                          || loaded.get(each.parameter.name()).steps() > 0)
              .toList());
    }
    allocate(
        groups,
        each -> loaded.get(each.parameter.name()).steps() > 0,
        () -> {
          groups.forEach(TrackedGroup::dropPlan);
          // First what may fail on a GPU: counts must not be of states that are not there.
          groups.forEach(group -> loadStates(group, loaded));
          groups.forEach(group -> loadValues(group, loaded));
        });
  }

  private void loadStates(TrackedGroup group, Map<String, StateDict.ParameterState> loaded) {
    for (TrackedParameter each : group.parameters) {
      StateDict.ParameterState from = loaded.get(each.parameter.name());
      if (each.halfPrecisionCopy != null) {
        writeHalfPrecisionCopy(each);
      }
      if (from.steps() > 0) {
        for (int i = 0; i < each.states.size(); i++) {
          stateDevice.upload(from.states().get(names.get(i)), each.states.get(i));
        }
      } else if (each.states != null) {
        // Kept: another allocation would leave this one behind until the optimizer is closed.
        each.states.forEach(state -> stateDevice.fill(state, each.parameter.size(), 0));
        initialise(each, from.hyperparameters());
      }
    }
  }

  private void loadValues(TrackedGroup group, Map<String, StateDict.ParameterState> loaded) {
    for (TrackedParameter each : group.parameters) {
      StateDict.ParameterState from = loaded.get(each.parameter.name());
      group.group.values().setAll(from.hyperparameters());
      each.set(from.steps(), from.momentumProduct());
    }
  }

  /// Frees all of it. Does nothing when that has been done.
  ///
  /// @param groups whose counts are to outlive the file's mapping
  void close(List<TrackedGroup> groups) {
    for (TrackedGroup group : groups) {
      for (TrackedParameter each : group.parameters) {
        each.leaveOthers();
      }
    }
    List<Runnable> parts = new ArrayList<>();
    slabs.forEach(slab -> parts.add(slab::close));
    parts.add(mapping::close);
    CloseAll.all(parts);
  }
}
