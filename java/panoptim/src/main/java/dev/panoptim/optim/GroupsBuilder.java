package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Builds an optimizer whose groups may have different rules:
///
/// ```java
/// Optimizer.builder()
///     .group(AdamW.builder(matrices).learningRate(3e-4))
///     .group(Sgd.builder(embeddings).learningRate(0.1).momentum(0.9))
///     .options(o -> o.clipGradNorm(1))
///     .build();
/// ```
///
/// One [Optimizer#step()] updates all groups, and the norm of [StepOptions#clipGradNorm] is over
/// the gradients of all of them.
///
/// Not thread-safe: for one thread, which may differ from the thread that steps later. A builder
/// may build several optimizers.
public final class GroupsBuilder extends CommonOptions<GroupsBuilder> {
  private final List<ParameterGroup> groups = new ArrayList<>();

  GroupsBuilder() {}

  /// Adds the groups of a preset, with its rule and hyperparameters.
  ///
  /// @param preset is read now; later changes of it have no effect
  /// @throws IllegalArgumentException if the preset has options of an optimizer as a whole, such as
  ///   [#threads]; the message names them. Also if a hyperparameter does not belong to the preset
  ///   or is out of range
  public GroupsBuilder group(OptimizerBuilder<?> preset) {
    preset.requireGroupAlone();
    groups.addAll(preset.groups());
    return this;
  }

  /// Adds a group of any composition.
  ///
  /// @param values hyperparameters of the rule; all others have the defaults of
  ///   [Optimizer#builder(Rule, Iterable)]
  /// @throws IllegalArgumentException if the rule does not have a hyperparameter, or a value is out
  ///   of range
  public GroupsBuilder group(
      Rule rule, Iterable<Parameter> parameters, Map<Hyperparameter, Double> values) {
    RuleOptimizerBuilder group = new RuleOptimizerBuilder(rule, parameters);
    values.forEach(group::with);
    return group(group);
  }

  @Override
  List<ParameterGroup> groups() {
    if (groups.isEmpty()) {
      throw new IllegalStateException("the optimizer has no group: call group() before build()");
    }
    return groups.stream().map(ParameterGroup::copy).toList();
  }

  @Override
  Hyperparameters defaults() {
    return null;
  }
}
