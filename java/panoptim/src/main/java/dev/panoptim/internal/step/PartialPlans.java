package dev.panoptim.internal.step;

import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.memory.Parameter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// The plans of steps of some parameters of an optimizer. Plans that were used lately are kept, so
/// that the same parameters need no new ones.
///
/// Not thread-safe.
final class PartialPlans {
  /// The most parameters of all plans that are kept, for each parameter of the optimizer. Each
  /// parameter may have a separate plan, be part of a layer, and of two halves of a model. The
  /// tables of all these plans take at most this many times the memory of a whole step's.
  private static final int KEPT = 4;

  /// Some parameters in an order, compared by identity.
  private static final class Choice {
    private Parameter[] parameters;
    private int hash;

    Choice of(Parameter[] some) {
      parameters = some;
      hash = 1;
      for (Parameter each : some) {
        hash = 31 * hash + System.identityHashCode(each);
      }
      return this;
    }

    @Override
    public int hashCode() {
      return hash;
    }

    @Override
    public boolean equals(Object other) {
      if (!(other instanceof Choice choice) || choice.parameters.length != parameters.length) {
        return false;
      }
      for (int i = 0; i < parameters.length; i++) {
        if (parameters[i] != choice.parameters[i]) {
          return false;
        }
      }
      return true;
    }
  }

  private static final Parameter[] NONE = {};

  private final Engine engine;
  private final PlanMaker maker;
  private final StateMemory memory;
  private final TrackedParameters parameters;

  /// In the order of the last use.
  private final Map<Choice, GroupPlans> kept = new LinkedHashMap<>(16, 0.75f, true);

  private long keptParameters;

  /// For look-ups, which would else allocate.
  private final Choice asked = new Choice();

  PartialPlans(Engine engine, PlanMaker maker, StateMemory memory, TrackedParameters parameters) {
    this.engine = engine;
    this.maker = maker;
    this.memory = memory;
    this.parameters = parameters;
  }

  /// The plans of a step of some parameters. They are not up to date.
  ///
  /// @throws IllegalArgumentException if there is no parameter, one is given twice, or one is not a
  ///   parameter of the optimizer
  /// @throws NullPointerException if one is `null`
  GroupPlans of(Parameter[] chosen) {
    GroupPlans found = kept.get(asked.of(chosen));
    asked.of(NONE);
    return found == null ? make(chosen.clone()) : found;
  }

  private GroupPlans make(Parameter[] chosen) {
    Map<TrackedGroup, List<TrackedParameter>> byGroup = byGroup(chosen);
    List<GroupPlan> groups = new ArrayList<>();
    byGroup.forEach(
        (group, some) ->
            groups.addAll(GroupPlans.plansOf(group, some.toArray(TrackedParameter[]::new))));
    List<Runnable> closing = makeRoom(chosen.length, groups);
    GroupPlans made = GroupPlans.ofSome(engine, maker, memory, parameters, groups);
    kept.put(new Choice().of(chosen), made);
    keptParameters += chosen.length;
    CloseAll.all(closing);
    return made;
  }

  private Map<TrackedGroup, List<TrackedParameter>> byGroup(Parameter[] chosen) {
    if (chosen.length == 0) {
      throw new IllegalArgumentException(
          "there is no parameter, but a step of some parameters needs at least one");
    }
    Map<TrackedGroup, List<TrackedParameter>> byGroup = new LinkedHashMap<>();
    Set<Parameter> before = new HashSet<>();
    for (int i = 0; i < chosen.length; i++) {
      int place = i;
      Objects.requireNonNull(
          chosen[i], () -> "parameters[%s] is null, but must be a parameter".formatted(place));
      TrackedParameter each = parameters.find(chosen[i]);
      if (!before.add(chosen[i])) {
        throw new IllegalArgumentException("parameter '" + each.name() + "' is given twice");
      }
      byGroup.computeIfAbsent(each.group, group -> new ArrayList<>()).add(each);
    }
    return byGroup;
  }

  /// Drops the plans whose last use is longest ago, as far as needed for others.
  ///
  /// @param count the number of parameters of the others
  /// @param groups of the others, which take over the memory of the dropped ones
  /// @return closes what is left of the dropped ones
  private List<Runnable> makeRoom(int count, List<GroupPlan> groups) {
    long most = engine.keepsManyPlans() ? KEPT * (long) parameters.all().size() - count : 0;
    List<Runnable> closing = new ArrayList<>();
    Iterator<Map.Entry<Choice, GroupPlans>> oldest = kept.entrySet().iterator();
    while (keptParameters > most && oldest.hasNext()) {
      Map.Entry<Choice, GroupPlans> dropped = oldest.next();
      oldest.remove();
      keptParameters -= dropped.getKey().parameters.length;
      GroupPlans plans = dropped.getValue();
      plans.giveTo(groups);
      closing.add(plans::drop);
    }
    return closing;
  }

  /// Closes all plans, and keeps none.
  void drop() {
    List<Runnable> closing = new ArrayList<>();
    kept.values().forEach(plans -> closing.add(plans::drop));
    kept.clear();
    keptParameters = 0;
    CloseAll.all(closing);
  }
}
