package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// The common options of all presets: of optimizers whose groups all have one rule. Such a builder
/// also describes a group of an optimizer with several rules; see [GroupsBuilder].
///
/// Not thread-safe: for one thread, which may differ from the thread that steps later. A builder
/// may build several optimizers. Subclasses exist only in this package: constructors are
/// package-private.
///
/// @param <B> the preset's own builder
public abstract class OptimizerBuilder<B extends OptimizerBuilder<B>> extends CommonOptions<B> {
  /// A group whose overrides are not yet checked; [#build()] checks them.
  private record Group(List<Parameter> parameters, Map<Hyperparameter, Double> overrides) {}

  private final List<Group> groups = new ArrayList<>();
  private final Map<Hyperparameter, Double> values = new EnumMap<>(Hyperparameter.class);
  private boolean maximize;

  OptimizerBuilder(Iterable<Parameter> parameters) {
    group(parameters, Map.of());
  }

  /// The preset's composition, without [#maximize].
  abstract Rule composition();

  /// The optimizer's composition.
  final Rule rule() {
    return maximize ? composition().maximizing() : composition();
  }

  /// Adds a group of parameters that differs from the others in some hyperparameters.
  ///
  /// @param overrides values of this group, such as `Map.of(Hyperparameter.WEIGHT_DECAY, 0.0)`
  public final B group(Iterable<Parameter> parameters, Map<Hyperparameter, Double> overrides) {
    groups.add(new Group(copy(parameters), Map.copyOf(overrides)));
    return self();
  }

  static List<Parameter> copy(Iterable<Parameter> parameters) {
    List<Parameter> copy = new ArrayList<>();
    parameters.forEach(each -> copy.add(Objects.requireNonNull(each, "a parameter is null")));
    return List.copyOf(copy);
  }

  /// @param value a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not
  public final B learningRate(double value) {
    return set(Hyperparameter.LEARNING_RATE, value);
  }

  /// @param value a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not
  public final B weightDecay(double value) {
    return set(Hyperparameter.WEIGHT_DECAY, value);
  }

  /// Whether to maximize the loss.
  public final B maximize(boolean value) {
    maximize = value;
    return self();
  }

  @Override
  final Hyperparameters defaults() {
    Rule rule = rule();
    if (values.getOrDefault(Hyperparameter.WEIGHT_DECAY, 0.0) != 0
        && !rule.hyperparameters().contains(Hyperparameter.WEIGHT_DECAY)) {
      throw new IllegalArgumentException(
          "weightDecay is %s, but this optimizer has no weight decay"
              .formatted(values.get(Hyperparameter.WEIGHT_DECAY)));
    }
    Map<Hyperparameter, Double> open = new EnumMap<>(values);
    open.keySet().retainAll(rule.hyperparameters());
    return new Hyperparameters(rule, open);
  }

  @Override
  final List<ParameterGroup> groups() {
    Hyperparameters defaults = defaults();
    return groups.stream()
        .map(each -> new ParameterGroup(each.parameters(), defaults.with(each.overrides())))
        .toList();
  }

  final B set(Hyperparameter name, double value) {
    values.put(name, name.check(value));
    return self();
  }

  /// Sets both or, if one is out of range, neither.
  final B setBetas(double beta1, double beta2) {
    Hyperparameter.BETA2.check(beta2);
    set(Hyperparameter.BETA1, beta1);
    return set(Hyperparameter.BETA2, beta2);
  }

  final double get(Hyperparameter name) {
    return values.get(name);
  }
}
