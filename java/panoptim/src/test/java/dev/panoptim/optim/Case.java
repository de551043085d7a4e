package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.SecondMoment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongFunction;

/// An optimizer with arguments; see [OptimizerCases] and [MixedCases].
///
/// @param name the name, also of the golden files if there are any
/// @param presets the presets with their arguments, without backend and threads: one, or one for
///   each rule of an optimizer of several rules
/// @param states the names of each parameter's states; empty if there are several presets
/// @param shape the shape of a parameter of some size, in the tests of golden files
record Case(
    String name,
    List<Function<Iterable<Parameter>, OptimizerBuilder<?>>> presets,
    List<String> states,
    LongFunction<long[]> shape) {
  Case(
      String name, Function<Iterable<Parameter>, OptimizerBuilder<?>> preset, List<String> states) {
    this(name, List.of(preset), states, MatrixShapes::wide);
  }

  /// An optimizer of several rules.
  Case(String name, List<Function<Iterable<Parameter>, OptimizerBuilder<?>>> presets) {
    this(name, presets, List.of(), MatrixShapes::wide);
  }

  /// Whether GPU backends refuse the optimizer.
  boolean needsCpu() {
    try (Parameters parameters = Parameters.builder().add("p", 1, 1).build()) {
      return presets.stream().anyMatch(preset -> preset.apply(parameters).rule().needsCpu());
    }
  }

  /// Builders of optimizers. If there are several presets, the parameters take turns in them.
  Function<Iterable<Parameter>, CommonOptions<?>> builder() {
    return isMixed() ? this::mixed : presets.getFirst()::apply;
  }

  /// Whether the first step sets states and leaves parameters as they are, as ADOPT's does.
  boolean firstStepOnlyMeasures() {
    return name.startsWith("adopt");
  }

  boolean isMixed() {
    return presets.size() > 1;
  }

  private GroupsBuilder mixed(Iterable<Parameter> parameters) {
    List<List<Parameter>> byPreset = new ArrayList<>();
    presets.forEach(preset -> byPreset.add(new ArrayList<>()));
    int i = 0;
    for (Parameter each : parameters) {
      byPreset.get(i++ % presets.size()).add(each);
    }
    GroupsBuilder builder = Optimizer.builder();
    for (int k = 0; k < presets.size(); k++) {
      if (!byPreset.get(k).isEmpty()) {
        builder.group(presets.get(k).apply(byPreset.get(k)));
      }
    }
    return builder;
  }

  /// The only preset.
  OptimizerBuilder<?> preset(Iterable<Parameter> parameters) {
    if (isMixed()) {
      throw new IllegalStateException(this + " has several presets");
    }
    return presets.getFirst().apply(parameters);
  }

  /// Updates the Hessian from the present gradients if a rule has one.
  static void updateHessian(Optimizer optimizer) {
    if (optimizer.paramGroups().stream()
        .anyMatch(each -> each.rule().secondMoment() == SecondMoment.CURVATURE_AVERAGE)) {
      optimizer.updateHessian();
    }
  }

  /// Two groups; of different presets, if there are several.
  CommonOptions<?> grouped(List<Parameter> first, List<Parameter> second) {
    return isMixed()
        ? Optimizer.builder().group(presets.get(0).apply(first)).group(presets.get(1).apply(second))
        : preset(first).group(second, Map.of());
  }

  /// Adds a group to an optimizer that [#grouped] built; of the last preset, if there are several.
  void addGroup(Optimizer optimizer, List<Parameter> parameters) {
    if (isMixed()) {
      optimizer.addParamGroup(presets.getLast().apply(parameters));
    } else {
      optimizer.addParamGroup(parameters, Map.of());
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
