package dev.panoptim.optim;

import dev.panoptim.internal.step.StateMemory;
import dev.panoptim.internal.tensor.Shapes;
import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// A snapshot of an optimizer, keyed by parameter name: with it and the parameters' data, training
/// continues with the same bits.
///
/// Immutable and thread-safe, if its segments are.
///
/// @param parameters by name
public record StateDict(Map<String, ParameterState> parameters) {
  public StateDict {
    parameters = Map.copyOf(parameters);
  }

  /// The values of one parameter.
  ///
  /// @param rule the composition that the states belong to
  /// @param shape the extent of each dimension, as [Parameter#shape()]
  /// @param steps the number of steps in which it had a gradient; if 0, there are no states, unless
  ///   [Optimizer#updateHessian()] has measured them
  /// @param scalars by the names of [Rule#scalarNames()]
  /// @param hyperparameters of its group
  /// @param states by the names of [Rule#stateNames()], and `average` if parameters are averaged;
  ///   floats of the shapes of [#shapeOf]
  public record ParameterState(
      Rule rule,
      List<Long> shape,
      long steps,
      Map<String, Double> scalars,
      Map<Hyperparameter, Double> hyperparameters,
      Map<String, MemorySegment> states) {
    /// @throws IllegalArgumentException if an extent is negative, or their product is larger than
    ///   2^63-1
    public ParameterState {
      Objects.requireNonNull(rule, "rule is null");
      shape = List.copyOf(shape);
      Shapes.size("shape", shape);
      scalars = Map.copyOf(scalars);
      hyperparameters = Map.copyOf(hyperparameters);
      states = Map.copyOf(states);
    }

    /// The values of a parameter of one dimension.
    ///
    /// @param size the number of elements
    /// @throws IllegalArgumentException if it is negative
    public ParameterState(
        Rule rule,
        long size,
        long steps,
        Map<String, Double> scalars,
        Map<Hyperparameter, Double> hyperparameters,
        Map<String, MemorySegment> states) {
      this(rule, List.of(size), steps, scalars, hyperparameters, states);
    }

    /// Whether there are values of states, of which there may be 0.
    boolean hasStates() {
      return steps > 0 || !states.isEmpty();
    }

    /// The number of elements.
    public long size() {
      return Shapes.size("shape", shape);
    }

    /// The extents of a state.
    ///
    /// @param state a name of [Rule#stateNames()], or `average`
    public List<Long> shapeOf(String state) {
      return state.equals(StateMemory.AVERAGE) ? shape : rule.stateShape(state, shape);
    }
  }

  /// The composition that all parameters have.
  ///
  /// @throws IllegalStateException if there is no parameter, or not all have the same;
  ///   [ParameterState#rule()] is then the rule of each
  public Rule rule() {
    return OneRule.of(
        parameters.values().stream().map(ParameterState::rule),
        "the state dict",
        "parameters() have the rule of each parameter");
  }

  /// The parameters under their new names.
  ///
  /// @throws IllegalArgumentException if the renaming contains an unknown name, or gives two
  ///   parameters the same name
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
}
