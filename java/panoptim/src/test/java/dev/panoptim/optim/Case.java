package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import java.util.List;
import java.util.function.Function;

/// An optimizer with arguments; see [OptimizerCases].
///
/// @param name the golden files' too, where there are some
/// @param builder the preset with its arguments, but for backend and threads
/// @param states the states that each parameter has
record Case(
    String name, Function<Iterable<Parameter>, OptimizerBuilder<?>> builder, List<String> states) {
  @Override
  public String toString() {
    return name;
  }
}
