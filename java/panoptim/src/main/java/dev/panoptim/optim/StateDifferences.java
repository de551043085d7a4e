package dev.panoptim.optim;

import dev.panoptim.internal.step.StateMemory;
import dev.panoptim.internal.step.TrackedGroup;
import dev.panoptim.internal.step.TrackedParameter;
import dev.panoptim.internal.tensor.Shapes;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The differences between a state dict and the optimizer that is to load it.
final class StateDifferences {
  /// Low enough that later steps do not overflow the count.
  private static final long MOST_STEPS = 1L << 62;

  /// The most names of parameters that a sentence lists.
  private static final int MOST_NAMES = 8;

  /// The rule of a parameter in the state dict, and the other one in the optimizer.
  private record OtherRule(Rule saved, Rule expected) {}

  private final List<String> differences = new ArrayList<>();
  private final Map<OtherRule, List<String>> byOtherRule = new LinkedHashMap<>();

  private StateDifferences() {}

  /// All reasons why a state dict cannot be loaded, a sentence for each; empty if it can.
  ///
  /// @param memory has the names of the states that a parameter must have once it has made a step
  /// @param groups the optimizer's groups
  /// @param renaming from names in the state dict to names in the optimizer
  static List<String> of(
      StateDict dict, StateMemory memory, List<TrackedGroup> groups, Map<String, String> renaming) {
    Map<String, StateDict.ParameterState> renamed;
    try {
      renamed = dict.renamed(renaming);
    } catch (IllegalArgumentException e) {
      return List.of(e.getMessage());
    }
    return new StateDifferences().all(renamed, memory, groups);
  }

  private List<String> all(
      Map<String, StateDict.ParameterState> renamed,
      StateMemory memory,
      List<TrackedGroup> groups) {
    Set<String> left = new HashSet<>(renamed.keySet());
    for (TrackedGroup group : groups) {
      Set<String> stateNames = Set.copyOf(memory.names(group));
      Map<Hyperparameter, Double> common = null;
      for (TrackedParameter each : group.parameters()) {
        String name = each.name();
        left.remove(name);
        StateDict.ParameterState state = renamed.get(name);
        if (state == null) {
          differences.add("it has no parameter '" + name + "'");
          continue;
        }
        addShape(each, state);
        if (!state.rule().equals(group.rule())) {
          // The names of all else follow from the rule.
          byOtherRule
              .computeIfAbsent(
                  new OtherRule(state.rule(), group.rule()), other -> new ArrayList<>())
              .add("'" + name + "'");
          continue;
        }
        addStates(each, state, stateNames);
        addScalars(name, state.scalars(), group.rule().scalarNames());
        if (common != null && !common.equals(state.hyperparameters())) {
          differences.add(
              "'%s' has %s, but others of its group %s"
                  .formatted(name, state.hyperparameters(), common));
        }
        common = state.hyperparameters();
      }
      addHyperparameters(group, common);
    }
    byOtherRule.forEach(
        (other, names) ->
            differences.add(
                "%s: it is of the rule\n%sbut in the optimizer of\n%s"
                    .formatted(
                        shortened(names), other.saved.describe(), other.expected.describe())));
    left.forEach(name -> differences.add("the optimizer has no parameter '" + name + "'"));
    return differences;
  }

  private static String shortened(List<String> names) {
    return names.size() <= MOST_NAMES
        ? String.join(", ", names)
        : String.join(", ", names.subList(0, MOST_NAMES))
            + " and %s more".formatted(names.size() - MOST_NAMES);
  }

  private void addShape(TrackedParameter each, StateDict.ParameterState state) {
    if (state.size() != each.parameter().size()) {
      differences.add(
          "'%s' has %s elements, but %s in the optimizer"
              .formatted(each.name(), state.size(), each.parameter().size()));
    } else if (!Shapes.fit(state.shape(), each.parameter().shape())) {
      differences.add(
          "'%s' has the shape %s, but %s in the optimizer"
              .formatted(each.name(), state.shape(), each.parameter().shape()));
    }
  }

  /// @param stateNames the states that a parameter must have once it has made a step
  private void addStates(
      TrackedParameter each, StateDict.ParameterState state, Set<String> stateNames) {
    String name = each.name();
    if (state.steps() < 0 || state.steps() > MOST_STEPS) {
      differences.add(
          "'%s' has made %s steps, but must have made from 0 to %s"
              .formatted(name, state.steps(), MOST_STEPS));
    }
    boolean measured =
        !state.states().isEmpty()
            && each.group().rule().secondMoment() == SecondMoment.CURVATURE_AVERAGE;
    Set<String> expected = state.steps() > 0 || measured ? stateNames : Set.of();
    if (!state.states().keySet().equals(expected)) {
      differences.add(
          "'%s' has the states %s, but must have %s after %s steps"
              .formatted(name, state.states().keySet(), expected, state.steps()));
    }
    boolean ofItsSize = state.size() == each.parameter().size();
    state
        .states()
        .forEach(
            (kind, segment) -> {
              // A wrong size of the parameter has been listed already.
              if (ofItsSize
                  && stateNames.contains(kind)
                  && segment.byteSize() != each.stateBytes(kind)) {
                differences.add(
                    "%s of '%s' has %s bytes, but must have %s"
                        .formatted(kind, name, segment.byteSize(), each.stateBytes(kind)));
              }
            });
  }

  private void addScalars(String name, Map<String, Double> scalars, List<String> expected) {
    if (!scalars.keySet().equals(Set.copyOf(expected))) {
      differences.add(
          "'%s' has the scalars %s, but must have %s".formatted(name, scalars.keySet(), expected));
      return;
    }
    Double evaluation = scalars.get(Rule.EVALUATION);
    if (evaluation != null && evaluation != 0 && evaluation != 1) {
      differences.add(
          "'%s' has the %s %s, which is neither 0 nor 1"
              .formatted(name, Rule.EVALUATION, evaluation));
    }
    Double product = scalars.get(Rule.MOMENTUM_PRODUCT);
    if (product != null && !(product >= 0 && product <= 1)) {
      differences.add(
          "'%s' has a %s of %s, which is not from 0 to 1"
              .formatted(name, Rule.MOMENTUM_PRODUCT, product));
    }
  }

  /// @param values of the last parameter of the group; `null` if there is none to compare
  private void addHyperparameters(TrackedGroup group, Map<Hyperparameter, Double> values) {
    if (values == null) {
      return;
    }
    Set<Hyperparameter> expected = group.rule().hyperparameters();
    if (!values.keySet().equals(expected)) {
      differences.add(
          "it has the hyperparameters %s, but the optimizer %s"
              .formatted(values.keySet(), expected));
      return;
    }
    try {
      group.values().with(values);
    } catch (IllegalArgumentException e) {
      differences.add(e.getMessage());
    }
  }
}
