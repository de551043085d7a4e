package dev.panoptim.internal.step;

import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Rule;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// All parameters of an optimizer, in their groups.
///
/// Not thread-safe, but for [#find] and [#all] while no group is added.
public final class TrackedParameters {
  private final Engine engine;
  private final List<TrackedGroup> groups = new ArrayList<>();
  private final Map<Parameter, TrackedParameter> tracked = new LinkedHashMap<>();
  private final Collection<TrackedParameter> all =
      Collections.unmodifiableCollection(tracked.values());

  /// `null` until they are asked for, and after a group has been added.
  private DataPlaces places;

  /// @param engine must work where the parameters lie
  public TrackedParameters(Engine engine) {
    this.engine = engine;
  }

  /// The groups, in the order in which they were added; a view.
  public List<TrackedGroup> groups() {
    return Collections.unmodifiableList(groups);
  }

  /// The same without the cost of a view.
  List<TrackedGroup> liveGroups() {
    return groups;
  }

  /// The parameters, in the order in which they were added; a view.
  public Collection<TrackedParameter> all() {
    return all;
  }

  /// Where all data lie now; a new object once a group has been added.
  DataPlaces places() {
    if (places == null) {
      places = new DataPlaces(all);
    }
    return places;
  }

  /// @throws IllegalArgumentException if the parameter is not one of these
  public TrackedParameter find(Parameter parameter) {
    TrackedParameter found = tracked.get(parameter);
    if (found == null) {
      throw new IllegalArgumentException(parameter + " is not a parameter of this optimizer");
    }
    return found;
  }

  /// Adds groups: all of them or, if one does not fit, none.
  ///
  /// @param check is given all parameters, the new ones included, before they are kept; what it
  ///   throws passes through
  /// @throws IllegalArgumentException if a group is empty, a parameter or its name is already
  ///   there, data overlap, a parameter is not where the engine works, or a rule of matrices does
  ///   not fit a parameter, or a rule that needs the cpu the engine; nothing has changed then
  public void add(List<TrackedGroup> added, Consumer<List<TrackedParameter>> check) {
    List<TrackedGroup> candidates = new ArrayList<>(groups);
    candidates.addAll(added);
    Map<String, TrackedParameter> byName = new LinkedHashMap<>();
    for (TrackedGroup group : candidates) {
      if (group.parameters.length == 0) {
        throw new IllegalArgumentException(
            "a parameter group is empty, but must have at least one parameter");
      }
      requireCpu(group.rule());
      MatrixShape.require(group);
      for (TrackedParameter each : group.parameters) {
        requireDevice(each.parameter);
        TrackedParameter other = byName.put(each.name(), each);
        if (other != null) {
          throw new IllegalArgumentException(
              other.parameter == each.parameter
                  ? "parameter '" + other.name() + "' is given twice"
                  : "there are two parameters named '" + other.name() + "', but names must differ");
        }
      }
    }
    TensorChecks.requireDisjoint(
        byName.values().stream()
            .map(
                each ->
                    new TensorChecks.Named(
                        "data of '" + each.name() + "'", each.parameter.data(), each.bytes()))
            .toList());
    check.accept(List.copyOf(byName.values()));
    places = null;
    groups.clear();
    groups.addAll(candidates);
    byName.values().forEach(each -> tracked.put(each.parameter, each));
  }

  private void requireCpu(Rule rule) {
    if (rule.needsCpu() && !engine.device().isCpu()) {
      throw new IllegalArgumentException(
          "backend %s cannot %s: such a group needs a backend of the cpu"
              .formatted(
                  engine.name(),
                  rule.isOfMatrices()
                      ? "orthogonalize matrices, which orthogonalization "
                          + rule.orthogonalization()
                          + " needs"
                      : "keep means of rows and columns, which secondMoment "
                          + rule.secondMoment()
                          + " needs"));
    }
  }

  private void requireDevice(Parameter parameter) {
    if (parameter.device() != engine.device()) {
      throw new IllegalArgumentException(
          "parameter '%s' is on %s, but backend %s works on %s"
              .formatted(parameter.name(), parameter.device(), engine.name(), engine.device()));
    }
  }
}
