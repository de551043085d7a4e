package dev.panoptim.optim;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Evaluation;
import dev.panoptim.internal.step.StateMemory;
import dev.panoptim.internal.step.StepExecutor;
import dev.panoptim.internal.step.TrackedGroup;
import dev.panoptim.internal.step.TrackedParameters;
import dev.panoptim.internal.step.Turns;
import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The parts of an optimizer: builds and frees them.
final class OptimizerParts {
  final Engine engine;
  final int threads;
  final StepOptions options = new StepOptions();
  final StepReport report;
  final StateMemory memory;
  final StateTransfer states;
  final StateViews views;
  final Evaluation evaluation;
  final TrackedParameters parameters;
  final StepExecutor executor;
  final Turns turns;

  /// `null` if nothing is published.
  final Publisher publisher;

  /// The values of added groups; `null` if there is no rule for them.
  private final Hyperparameters defaults;

  /// Read by other threads: replaced, never changed.
  private volatile List<ParameterGroup> groups = List.of();

  /// Builds all parts. If this throws, everything has been freed.
  OptimizerParts(CommonOptions<?> builder) {
    List<ParameterGroup> first = builder.groups();
    engine = builder.engine(deviceOf(first));
    threads = builder.threads;
    defaults = builder.defaults();
    options.settings().set(builder.options.settings());
    memory = new StateMemory(builder.format(engine));
    publisher = builder.publication == null ? null : new Publisher(builder.publication, engine);
    parameters = new TrackedParameters(engine);
    executor =
        new StepExecutor(
            engine,
            threads,
            memory,
            parameters,
            options.settings(),
            publisher,
            builder.averageDecay);
    report = new StepReport(executor.outcome(), parameters);
    turns = new Turns(engine, executor);
    states = new StateTransfer(memory, parameters.groups(), executor::dropPlans);
    views = new StateViews(memory, parameters, turns);
    evaluation = new Evaluation(memory, parameters.groups());
    try {
      if (publisher != null) {
        // Waits until the parameters have the values that are published first.
        engine.await();
      }
      addGroups(first);
      if (builder.stateFile != null) {
        memory.share(builder.stateFile, parameters.groups());
        publishNow();
      }
    } catch (Throwable e) {
      CloseAll.after(e, List.of(() -> freeMemory(List.of())));
      throw e;
    }
    executor.open();
  }

  /// The device of the first parameter; parameters on other devices are rejected later.
  private static Device deviceOf(List<ParameterGroup> groups) {
    return groups.stream()
        .flatMap(each -> each.parameters().stream())
        .findFirst()
        .map(Parameter::device)
        .orElse(Device.cpu());
  }

  List<ParameterGroup> groups() {
    return groups;
  }

  /// Adds a group of the builder's rule; see [Optimizer#addParamGroup(Iterable, Map)].
  void add(Iterable<Parameter> added, Map<Hyperparameter, Double> overrides) {
    if (defaults == null) {
      throw new IllegalStateException(
          "the optimizer was built of groups with their own rules:"
              + " call addParamGroup with the preset of the added group");
    }
    List<Parameter> copy = OptimizerBuilder.copy(added);
    add(List.of(new ParameterGroup(copy, defaults.with(overrides))));
  }

  /// Adds the groups of a preset; see [Optimizer#addParamGroup(OptimizerBuilder)].
  void add(OptimizerBuilder<?> preset) {
    preset.requireGroupAlone();
    add(preset.groups());
  }

  private void add(List<ParameterGroup> added) {
    if (memory.isShared()) {
      throw new IllegalStateException(
          "a group cannot be added to states that are shared in a file");
    }
    // No step may run: all parameters may be published again.
    turns.change(() -> addGroups(added));
  }

  private void addGroups(List<ParameterGroup> added) {
    parameters.add(
        added.stream().map(each -> new TrackedGroup(each.parameters(), each.values())).toList(),
        publisher == null ? all -> {} : publisher::begin);
    executor.groupsAdded();
    groups = Stream.concat(groups.stream(), added.stream()).toList();
  }

  /// Publishes the present parameters, if the optimizer publishes.
  void publishNow() {
    if (publisher != null) {
      publisher.publishNow();
    }
  }

  /// Frees all memory. A second call frees memory that another thread's native code used during the
  /// first one.
  void free() {
    CloseAll.all(List.of(executor::close, () -> freeMemory(parameters.groups())));
  }

  /// @param counted groups whose step counts are kept when a file is unmapped
  private void freeMemory(List<TrackedGroup> counted) {
    CloseAll.all(
        List.of(
            () -> memory.close(counted),
            () -> {
              if (publisher != null) {
                publisher.close();
              }
            }));
  }
}
