package dev.panoptim.internal.step;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.tensor.Layout;
import dev.panoptim.internal.tensor.SharedFile;
import dev.panoptim.internal.tensor.Slab;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// The memory of the states and half-precision copies of an optimizer's parameters: its layout, the
/// values that it starts from, and the rows of it that steps see.
///
/// Not thread-safe.
public final class StateMemory {
  /// Slab streams 0 and 1 are data and gradients.
  private static final int FIRST_STATE_STREAM = 2;

  /// The name of the running average among the states.
  public static final String AVERAGE = "average";

  private static final long PAGE = 4096;

  private final MemoryFormat format;
  private final Device device;
  private final Device stateDevice;

  private final List<Slab> slabs = new ArrayList<>();
  private final Origin origin = Origin.here("an optimizer");
  private final OwnedArena mapping = OwnedArena.of(MemoryKind.STATES, origin);

  private boolean shared;

  public StateMemory(MemoryFormat format) {
    this.format = format;
    device = format.device();
    stateDevice = format.stateDevice();
  }

  /// The owner, for warnings.
  Origin origin() {
    return origin;
  }

  public MemoryFormat format() {
    return format;
  }

  /// The names of the states of a group's parameters: those of its rule and then [#AVERAGE], if one
  /// is kept.
  public List<String> names(TrackedGroup group) {
    List<String> names = new ArrayList<>(group.rule().stateNames());
    if (format.averages()) {
      names.add(AVERAGE);
    }
    return names;
  }

  /// Gives all parameters states and counts in a file, and what these start from if the file is
  /// new.
  ///
  /// @throws IllegalArgumentException as [SharedFile#map]
  public void share(Path file, List<TrackedGroup> groups) {
    shared = true;
    List<TrackedParameter> all =
        groups.stream().flatMap(group -> Arrays.stream(group.parameters)).toList();
    if (format.halfPrecision() != null) {
      requireData(all);
    }
    List<RuleStates> states = byRule(all);
    long counts = pages(all.size() * SharedCount.BYTES);
    long bytes = counts + states.stream().mapToLong(each -> pages(each.layout.bytes())).sum();
    SharedFile.map(
        mapping,
        file,
        describe(all),
        bytes,
        (memory, fresh) -> {
          adoptCounts(all, memory);
          long begin = counts;
          for (RuleStates each : states) {
            each.adopt(each.layout.slices(memory.asSlice(begin, each.layout.bytes())));
            begin += pages(each.layout.bytes());
          }
          if (fresh) {
            start(groups);
          }
        });
    all.forEach(TrackedParameter::refresh);
    if (format.halfPrecision() != null) {
      slabs.add(halfPrecisionCopies(all));
    }
  }

  private static long pages(long bytes) {
    return Math.ceilDiv(bytes, PAGE) * PAGE;
  }

  /// What processes compare: all parameters in their order, with their rules and states.
  private String describe(List<TrackedParameter> all) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < all.size(); ) {
      TrackedGroup group = all.get(i).group;
      List<String> tensors = new ArrayList<>();
      for (; i < all.size() && all.get(i).group.rule().equals(group.rule()); i++) {
        tensors.add(describeSizes(all.get(i)));
      }
      text.append(text.isEmpty() ? "" : ", and ")
          .append("the states %s and scalars %s".formatted(names(group), group.scalarNames))
          .append(" of {" + String.join(", ", tensors) + "} under " + group.rule());
    }
    return text.toString();
  }

  /// The size of a parameter, and those of its states that differ.
  private static String describeSizes(TrackedParameter each) {
    StringBuilder text = new StringBuilder(each.name() + "=" + each.parameter.size());
    for (String state : each.group.rule().stateNames()) {
      if (each.stateSize(state) != each.parameter.size()) {
        text.append(" with ").append(state).append('=').append(each.stateSize(state));
      }
    }
    return text.toString();
  }

  private void start(List<TrackedGroup> groups) {
    for (TrackedGroup group : groups) {
      for (TrackedParameter each : group.parameters) {
        each.reset();
        initialise(each, group.values().asMap());
      }
    }
  }

  /// The states of parameters of one rule, which have the same names.
  private record RuleStates(List<TrackedParameter> parameters, Layout layout) {
    /// @param streams for each state in the order of the names, one slice for each parameter
    void adopt(MemorySegment[][] streams) {
      for (int i = 0; i < parameters.size(); i++) {
        int tensor = i;
        parameters.get(i).states = Arrays.stream(streams).map(stream -> stream[tensor]).toList();
      }
    }
  }

  /// Parameters of different rules have different states, so each rule has a layout. In the order
  /// of the rules' first parameters.
  private List<RuleStates> byRule(Collection<TrackedParameter> parameters) {
    List<List<TrackedParameter>> byRule = new ArrayList<>();
    for (TrackedParameter each : parameters) {
      ofRule(byRule, each.group.rule()).add(each);
    }
    return byRule.stream().map(some -> new RuleStates(some, layout(some))).toList();
  }

  /// The list of a rule, added if there is none. No map: the first call of a record's `hashCode`
  /// makes the JDK keep the record's class loader for ever, and `LoadersTest` fails.
  private static List<TrackedParameter> ofRule(List<List<TrackedParameter>> byRule, Rule rule) {
    for (List<TrackedParameter> each : byRule) {
      Rule known = each.getFirst().group.rule();
      if (known == rule || known.equals(rule)) {
        return each;
      }
    }
    byRule.add(new ArrayList<>());
    return byRule.getLast();
  }

  /// @param parameters of one rule
  private Layout layout(List<TrackedParameter> parameters) {
    List<long[]> sizes = new ArrayList<>();
    for (String name : names(parameters.getFirst().group)) {
      long[] ofState = parameters.stream().mapToLong(each -> each.stateSize(name)).toArray();
      boolean isAsBefore = !sizes.isEmpty() && Arrays.equals(sizes.getLast(), ofState);
      sizes.add(isAsBefore ? sizes.getLast() : ofState);
    }
    return new Layout(parameterNames(parameters), sizes, FIRST_STATE_STREAM);
  }

  private static List<String> parameterNames(Collection<TrackedParameter> parameters) {
    return parameters.stream().map(TrackedParameter::name).toList();
  }

  /// Two numbers of 16 bits take the place of one float.
  private Layout halfPrecisionLayout(Collection<TrackedParameter> parameters) {
    int mostStates = parameters.stream().mapToInt(each -> names(each.group).size()).max().orElse(0);
    return new Layout(
        parameterNames(parameters),
        parameters.stream().mapToLong(each -> Math.ceilDiv(each.parameter.size(), 2L)).toArray(),
        FIRST_STATE_STREAM + mostStates,
        1);
  }

  private static void adoptCounts(List<TrackedParameter> all, MemorySegment memory) {
    for (int i = 0; i < all.size(); i++) {
      all.get(i).shared =
          new SharedCount(
              memory.asSlice(i * SharedCount.BYTES, SharedCount.BYTES),
              all.get(i).group.scalarNames);
    }
  }

  /// Whether other processes may have a part in the states.
  public boolean isShared() {
    return shared;
  }

  /// Allocates states for the parameters that need some and have none, and keeps them if the action
  /// succeeds.
  public void allocate(
      List<TrackedGroup> groups, Predicate<TrackedParameter> needed, Runnable action) {
    List<TrackedParameter> fresh = new ArrayList<>();
    for (TrackedGroup group : groups) {
      for (TrackedParameter each : group.parameters) {
        if (each.states == null && needed.test(each)) {
          fresh.add(each);
        }
      }
    }
    if (fresh.isEmpty()) {
      action.run();
      return;
    }
    List<Slab> taken = new ArrayList<>();
    try {
      for (RuleStates each : byRule(fresh)) {
        taken.add(Slab.allocate(each.layout, stateDevice, origin, MemoryKind.STATES));
        each.adopt(taken.getLast().streams());
      }
      if (format.halfPrecision() != null) {
        taken.add(halfPrecisionCopies(fresh));
      }
      fresh.forEach(each -> initialise(each, each.group.values().asMap()));
      action.run();
    } catch (Throwable e) {
      for (TrackedParameter each : fresh) {
        each.states = null;
        each.halfPrecisionCopy = null;
      }
      List<Runnable> parts = new ArrayList<>();
      taken.forEach(slab -> parts.add(slab::close));
      CloseAll.after(e, parts);
      throw e;
    }
    slabs.addAll(taken);
  }

  /// Memory for half-precision copies, with the values that a step would leave: before the first
  /// step nothing else writes them.
  private Slab halfPrecisionCopies(Collection<TrackedParameter> parameters) {
    requireData(parameters);
    Slab slab =
        Slab.allocate(
            halfPrecisionLayout(parameters), device, origin, MemoryKind.HALF_PRECISION_COPIES);
    try {
      int tensor = 0;
      for (TrackedParameter each : parameters) {
        each.halfPrecisionCopy =
            device.slice(slab.streams()[0][tensor++], 0, each.parameter.size() * Short.BYTES);
        writeHalfPrecisionCopy(each);
      }
    } catch (Throwable e) {
      CloseAll.after(e, List.of(slab::close));
      throw e;
    }
    return slab;
  }

  /// Sets states to their values before the first step. They are all 0.
  public void initialise(TrackedParameter fresh, Map<Hyperparameter, Double> values) {
    InitialStates.set(fresh.group.rule(), fresh.parameter, fresh.states, values, stateDevice);
  }

  /// What a step works on. The parameter has a gradient and states.
  Row row(TrackedParameter each) {
    return new Row(
        each.parameter.name(),
        each.parameter.size(),
        each.parameter.shape(),
        each.parameter.data(),
        each.parameter.gradient(),
        each.states.subList(0, each.states.size() - (format.averages() ? 1 : 0)),
        format.averages() ? each.states.getLast() : null,
        each.halfPrecisionCopy,
        each.published(),
        List.of(),
        // Freed by close(), which waits for the step.
        true);
  }

  /// Writes the copies in 16 bits anew, where there are any: all or none.
  ///
  /// @throws IllegalStateException if the arena of a parameter that has one has been closed
  /// @throws WrongThreadException if it is confined to another thread
  public void writeHalfPrecisionCopies(List<TrackedGroup> groups) {
    List<TrackedParameter> written =
        groups.stream()
            .flatMap(group -> Arrays.stream(group.parameters))
            .filter(each -> each.halfPrecisionCopy != null)
            .toList();
    requireData(written);
    written.forEach(this::writeHalfPrecisionCopy);
  }

  /// Checks that this thread can read the data of some parameters now.
  public static void requireData(Collection<TrackedParameter> parameters) {
    for (TrackedParameter each : parameters) {
      each.parameter.requireInPlace();
      TensorChecks.requireAlive("data of '" + each.parameter.name() + "'", each.parameter.data());
    }
  }

  /// Writes a parameter's half-precision copy anew.
  public void writeHalfPrecisionCopy(TrackedParameter each) {
    long size = each.parameter.size();
    MemorySegment data = device.readable(each.parameter.data(), size * Float.BYTES);
    if (device.isCpu()) {
      format.halfPrecision().write(data, each.halfPrecisionCopy, 0, size);
    } else {
      MemorySegment written =
          new CollectedMemory(MemoryKind.TABLES).allocate(size * Short.BYTES, Short.BYTES);
      format.halfPrecision().write(data, written, 0, size);
      device.upload(written, each.halfPrecisionCopy);
    }
  }

  /// Frees all memory. Closing twice has no effect.
  ///
  /// @param groups whose counts are to outlive the file's mapping
  public void close(List<TrackedGroup> groups) {
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
