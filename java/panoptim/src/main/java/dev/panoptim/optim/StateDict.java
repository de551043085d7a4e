package dev.panoptim.optim;

import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// All that an optimizer needs to continue with the same bits, apart from the parameters' data: a
/// snapshot, keyed by parameter name.
///
/// Immutable and thread-safe, as far as its segments are.
///
/// @param rule the composition that the states belong to
/// @param parameters by name
public record StateDict(Rule rule, Map<String, ParameterState> parameters) {
  public StateDict {
    Objects.requireNonNull(rule, "rule is null");
    parameters = Map.copyOf(parameters);
  }

  /// What belongs to one parameter.
  ///
  /// @param size number of elements
  /// @param steps at which it had a gradient; 0 if none, and then there are no states
  /// @param momentumProduct of all scheduled momenta so far; 1 without a schedule
  /// @param hyperparameters of its group
  /// @param states by the names of [Rule#stateNames()], and `average` if parameters are averaged:
  ///   `size` floats each
  public record ParameterState(
      long size,
      long steps,
      double momentumProduct,
      Map<Hyperparameter, Double> hyperparameters,
      Map<String, MemorySegment> states) {
    public ParameterState {
      hyperparameters = Map.copyOf(hyperparameters);
      states = Map.copyOf(states);
    }
  }

  /// The parameters under their new names.
  ///
  /// @throws IllegalArgumentException if the renaming names what is not there, or two parameters
  ///   end up with one name
  Map<String, ParameterState> renamed(Map<String, String> renaming) {
    if (!parameters.keySet().containsAll(renaming.keySet())) {
      Set<String> unknown = new HashSet<>(renaming.keySet());
      unknown.removeAll(parameters.keySet());
      throw new IllegalArgumentException(
          "renaming names %s, but the state dict has %s".formatted(unknown, parameters.keySet()));
    }
    Map<String, ParameterState> all = new LinkedHashMap<>();
    parameters.forEach(
        (name, state) -> {
          String to = renaming.getOrDefault(name, name);
          if (all.put(to, state) != null) {
            throw new IllegalArgumentException(
                "renaming leaves two parameters with the name '" + to + "'");
          }
        });
    return all;
  }

  /// All that keeps this from being loaded.
  ///
  /// @param stateNames what a parameter that has made a step must have
  List<String> differences(
      Rule expected,
      List<String> stateNames,
      List<TrackedGroup> groups,
      Map<String, String> renaming) {
    List<String> differences = new ArrayList<>();
    if (!rule.equals(expected)) {
      differences.add(
          "it is of the rule\n%sbut the optimizer of\n%s"
              .formatted(rule.describe(), expected.describe()));
    }
    Map<String, ParameterState> renamed;
    try {
      renamed = renamed(renaming);
    } catch (IllegalArgumentException e) {
      differences.add(e.getMessage());
      return differences;
    }
    Set<String> left = new HashSet<>(renamed.keySet());
    for (TrackedGroup group : groups) {
      Map<Hyperparameter, Double> common = null;
      for (TrackedParameter each : group.parameters) {
        String name = each.parameter.name();
        left.remove(name);
        ParameterState state = renamed.get(name);
        if (state == null) {
          differences.add("it has no parameter '" + name + "'");
          continue;
        }
        addDifferences(differences, each, state, stateNames);
        if (common != null && !common.equals(state.hyperparameters())) {
          differences.add(
              "'%s' has %s, but others of its group %s"
                  .formatted(name, state.hyperparameters(), common));
        }
        common = state.hyperparameters();
      }
      addHyperparameters(differences, group, common, expected);
    }
    left.forEach(name -> differences.add("the optimizer has no parameter '" + name + "'"));
    return differences;
  }

  private static void addDifferences(
      List<String> differences,
      TrackedParameter each,
      ParameterState state,
      List<String> stateNames) {
    String name = each.parameter.name();
    boolean ofItsSize = state.size() == each.parameter.size();
    if (!ofItsSize) {
      differences.add(
          "'%s' has %s elements, but %s in the optimizer"
              .formatted(name, state.size(), each.parameter.size()));
    }
    if (state.steps() < 0) {
      differences.add("'%s' has made %s steps".formatted(name, state.steps()));
    }
    if (!(state.momentumProduct() >= 0 && state.momentumProduct() <= 1)) {
      differences.add(
          "'%s' has a momentumProduct of %s, which is not from 0 to 1"
              .formatted(name, state.momentumProduct()));
    }
    Set<String> expected = state.steps() > 0 ? Set.copyOf(stateNames) : Set.of();
    if (!state.states().keySet().equals(expected)) {
      differences.add(
          "'%s' has the states %s, but must have %s after %s steps"
              .formatted(name, state.states().keySet(), expected, state.steps()));
    }
    state
        .states()
        .forEach(
            (kind, segment) -> {
              // Of another size, it has been said already why.
              if (ofItsSize && segment.byteSize() != each.parameter.size() * Float.BYTES) {
                differences.add(
                    "%s of '%s' has %s bytes, but must have %s"
                        .formatted(
                            kind, name, segment.byteSize(), each.parameter.size() * Float.BYTES));
              }
            });
  }

  private static void addHyperparameters(
      List<String> differences, TrackedGroup group, Map<Hyperparameter, Double> values, Rule rule) {
    if (values == null) {
      return;
    }
    if (!values.keySet().equals(rule.hyperparameters())) {
      differences.add(
          "it has the hyperparameters %s, but the optimizer %s"
              .formatted(values.keySet(), rule.hyperparameters()));
      return;
    }
    try {
      group.group.values().with(values);
    } catch (IllegalArgumentException e) {
      differences.add(e.getMessage());
    }
  }
}
