package dev.panoptim.optim;

import dev.panoptim.internal.step.TrackedGroup;
import dev.panoptim.internal.step.TrackedParameter;
import dev.panoptim.internal.tensor.Shapes;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The differences between a state dict and the optimizer that is to load it.
final class StateDifferences {
  /// Low enough that later steps do not overflow the count.
  private static final long MOST_STEPS = 1L << 62;

  private StateDifferences() {}

  /// All reasons why a state dict cannot be loaded, a sentence for each; empty if it can.
  ///
  /// @param expected the optimizer's rule
  /// @param stateNames the states that a parameter must have once it has made a step
  /// @param groups the optimizer's groups
  /// @param renaming from names in the state dict to names in the optimizer
  static List<String> of(
      StateDict dict,
      Rule expected,
      List<String> stateNames,
      List<TrackedGroup> groups,
      Map<String, String> renaming) {
    List<String> differences = new ArrayList<>();
    if (!dict.rule().equals(expected)) {
      differences.add(
          "it is of the rule\n%sbut the optimizer of\n%s"
              .formatted(dict.rule().describe(), expected.describe()));
    }
    Map<String, StateDict.ParameterState> renamed;
    try {
      renamed = dict.renamed(renaming);
    } catch (IllegalArgumentException e) {
      differences.add(e.getMessage());
      return differences;
    }
    Set<String> left = new HashSet<>(renamed.keySet());
    for (TrackedGroup group : groups) {
      Map<Hyperparameter, Double> common = null;
      for (TrackedParameter each : group.parameters()) {
        String name = each.name();
        left.remove(name);
        StateDict.ParameterState state = renamed.get(name);
        if (state == null) {
          differences.add("it has no parameter '" + name + "'");
          continue;
        }
        addDifferences(differences, each, state, stateNames, expected.scalarNames());
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
      StateDict.ParameterState state,
      List<String> stateNames,
      List<String> scalarNames) {
    String name = each.name();
    boolean ofItsSize = state.size() == each.parameter().size();
    if (!ofItsSize) {
      differences.add(
          "'%s' has %s elements, but %s in the optimizer"
              .formatted(name, state.size(), each.parameter().size()));
    } else if (!Shapes.fit(state.shape(), each.parameter().shape())) {
      differences.add(
          "'%s' has the shape %s, but %s in the optimizer"
              .formatted(name, state.shape(), each.parameter().shape()));
    }
    if (state.steps() < 0 || state.steps() > MOST_STEPS) {
      differences.add(
          "'%s' has made %s steps, but must have made from 0 to %s"
              .formatted(name, state.steps(), MOST_STEPS));
    }
    addScalars(differences, name, state.scalars(), scalarNames);
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
              // A wrong size of the parameter has been listed already.
              if (ofItsSize && segment.byteSize() != each.bytes()) {
                differences.add(
                    "%s of '%s' has %s bytes, but must have %s"
                        .formatted(kind, name, segment.byteSize(), each.bytes()));
              }
            });
  }

  private static void addScalars(
      List<String> differences, String name, Map<String, Double> scalars, List<String> expected) {
    if (!scalars.keySet().equals(Set.copyOf(expected))) {
      differences.add(
          "'%s' has the scalars %s, but must have %s".formatted(name, scalars.keySet(), expected));
      return;
    }
    Double product = scalars.get(Rule.MOMENTUM_PRODUCT);
    if (product != null && !(product >= 0 && product <= 1)) {
      differences.add(
          "'%s' has a %s of %s, which is not from 0 to 1"
              .formatted(name, Rule.MOMENTUM_PRODUCT, product));
    }
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
      group.values().with(values);
    } catch (IllegalArgumentException e) {
      differences.add(e.getMessage());
    }
  }
}
