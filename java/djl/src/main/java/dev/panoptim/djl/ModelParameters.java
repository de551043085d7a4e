package dev.panoptim.djl;

import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.util.Pair;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/// The parameters of a block that Panoptim can train, under the names of [Block#getParameters()],
/// which are the same in each run. A parameter that occurs several times in the block is one
/// parameter, under its first name.
///
/// @param shared parameters of Panoptim in the order of the block
/// @param unusable frozen parameters that could not be trained, such as those of another data type,
///   with the reason
record ModelParameters(List<dev.panoptim.memory.Parameter> shared, List<Unusable> unusable) {
  /// A frozen parameter that could not be trained.
  record Unusable(String name, Parameter parameter, String reason) {}

  /// @throws IllegalArgumentException if a parameter that requires a gradient cannot be trained;
  ///   the message names all of them
  /// @throws IllegalStateException if a parameter has no array
  static ModelParameters of(Block block, TensorMemory memory) {
    List<dev.panoptim.memory.Parameter> shared = new ArrayList<>();
    List<Unusable> unusable = new ArrayList<>();
    List<String> refused = new ArrayList<>();
    Set<Parameter> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Pair<String, Parameter> pair : block.getParameters()) {
      Parameter parameter = pair.getValue();
      if (!seen.add(parameter)) {
        continue;
      }
      String name = pair.getKey();
      if (!parameter.isInitialized()) {
        throw new IllegalStateException(
            "parameter '%s' has no array yet: call initialize of the trainer first"
                .formatted(name));
      }
      String reason = TensorChecks.reasonAgainst(parameter.getArray(), memory).orElse(null);
      if (reason == null) {
        if (parameter.getArray().getShape().size() > 0) {
          shared.add(new ModelParameter(name, parameter, memory).share());
        }
      } else if (parameter.requiresGradient()) {
        refused.add("parameter '%s' %s".formatted(name, reason));
      } else {
        unusable.add(new Unusable(name, parameter, reason));
      }
    }
    if (!refused.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", refused));
    }
    return new ModelParameters(List.copyOf(shared), List.copyOf(unusable));
  }

  /// @throws IllegalArgumentException if a parameter that cannot be trained is no longer frozen
  void requireFrozen() {
    for (Unusable each : unusable) {
      if (each.parameter().requiresGradient()) {
        throw new IllegalArgumentException(
            "parameter '%s' is no longer frozen, but %s".formatted(each.name(), each.reason()));
      }
    }
  }
}
