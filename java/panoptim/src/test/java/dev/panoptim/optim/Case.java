package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import java.util.List;
import java.util.function.Function;

/// An optimizer with arguments; see [OptimizerCases].
///
/// @param name the name, also of the golden files if there are any
/// @param builder the preset with its arguments, without backend and threads
/// @param states the names of each parameter's states
record Case(
    String name, Function<Iterable<Parameter>, OptimizerBuilder<?>> builder, List<String> states) {
  @Override
  public String toString() {
    return name;
  }
}
