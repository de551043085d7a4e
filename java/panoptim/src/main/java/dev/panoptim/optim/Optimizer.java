package dev.panoptim.optim;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.StepPlan;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Slab;
import dev.panoptim.memory.Streams;
import dev.panoptim.rule.Coefficients;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;

/// Updates parameters from their gradients, by a rule of the framework. Made by a named preset such
/// as [AdamW]:
///
/// ```java
/// try (var parameters = Parameters.builder().add("weight", 640).add("bias", 10).build();
///     var optimizer = AdamW.builder(parameters).learningRate(1e-3).build()) {
///   computeGradients(parameters);
///   optimizer.step();
///   optimizer.zeroGrad();
/// }
/// ```
///
/// A parameter without a gradient is passed by: it keeps its value, gets no state and counts no
/// step. States lie off-heap, are allocated when a parameter first has a gradient, and belong to
/// the optimizer until it is closed.
///
/// Not thread-safe: one thread at a time. Different optimizers may step at the same time as long as
/// they share no parameter.
public final class Optimizer implements AutoCloseable {
  /// What the optimizer knows of a parameter.
  private static final class Tracked {
    final Parameter parameter;

    /// `null` until the parameter first has a gradient.
    List<MemorySegment> states;

    /// The gradient that the plan was made for, `null` where there was none.
    MemorySegment plannedGradient;

    long steps;

    /// What the last step's coefficients said of it; 1 without a schedule of the momentum.
    double momentumProduct = 1;

    /// What becomes of that once the running step is done.
    double nextMomentumProduct = 1;

    Tracked(Parameter parameter) {
      this.parameter = parameter;
    }

    boolean isAtTheStepOf(Tracked other) {
      return steps == other.steps && momentumProduct == other.momentumProduct;
    }
  }

  /// A group with what the plan's rows refer to.
  private static final class TrackedGroup {
    final ParameterGroup group;
    final Tracked[] parameters;

    /// The tracked parameters that have a row in the plan, in the order of the rows.
    Tracked[] rows;

    StepPlan plan;

    TrackedGroup(ParameterGroup group) {
      this.group = group;
      parameters = group.parameters().stream().map(Tracked::new).toArray(Tracked[]::new);
    }

    Tracked[] withGradient() {
      return Arrays.stream(parameters)
          .filter(each -> each.parameter.hasGradient())
          .toArray(Tracked[]::new);
    }

    void adopt(StepPlan plan) {
      this.plan = plan;
      rows = withGradient();
      for (Tracked each : parameters) {
        each.plannedGradient = each.parameter.gradientOrNull();
      }
    }
  }

  /// Slab streams 0 and 1 are data and gradients.
  private static final int FIRST_STATE_STREAM = 2;

  private final Rule rule;
  private final Backend backend;
  private final int threads;
  private final TrackedGroup[] groups;
  private final Map<Parameter, Tracked> tracked = new LinkedHashMap<>();
  private final List<Slab> slabs = new ArrayList<>();

  /// Held by whoever uses or frees the states.
  private final AtomicBoolean busy = new AtomicBoolean();

  private volatile boolean closed;

  Optimizer(Rule rule, List<ParameterGroup> groups, Backend backend, int threads) {
    this.rule = rule;
    this.backend = backend;
    this.threads = threads;
    this.groups = groups.stream().map(TrackedGroup::new).toArray(TrackedGroup[]::new);
    Map<String, Parameter> byName = new LinkedHashMap<>();
    for (TrackedGroup group : this.groups) {
      if (group.parameters.length == 0) {
        throw new IllegalArgumentException(
            "a parameter group is empty, but must have at least one parameter");
      }
      for (Tracked each : group.parameters) {
        Parameter other = byName.put(each.parameter.name(), each.parameter);
        if (other != null) {
          throw new IllegalArgumentException(
              other == each.parameter
                  ? "parameter '" + other.name() + "' is given twice"
                  : "there are two parameters named '" + other.name() + "', but names must differ");
        }
        tracked.put(each.parameter, each);
      }
    }
    Streams.requireDisjoint(
        byName.values().stream()
            .map(each -> new Streams.Named("data of '" + each.name() + "'", each.data()))
            .toList());
  }

  /// An optimizer of a composition of one's own; see [Rule#builder()].
  public static RuleOptimizerBuilder builder(Rule rule, Iterable<Parameter> parameters) {
    return new RuleOptimizerBuilder(rule, parameters);
  }

  /// The composition that this optimizer applies.
  public Rule rule() {
    return rule;
  }

  public Backend backend() {
    return backend;
  }

  /// The threads that a step takes at most, the calling one among them.
  public int threads() {
    return threads;
  }

  /// The groups, whose hyperparameters may be changed between steps.
  public List<ParameterGroup> paramGroups() {
    List<ParameterGroup> all = new ArrayList<>();
    for (TrackedGroup group : groups) {
      all.add(group.group);
    }
    return List.copyOf(all);
  }

  /// Updates every parameter that has a gradient.
  ///
  /// When this throws one of the exceptions below, nothing has changed; but an arena that another
  /// thread closes while the step runs may end it between two groups, and on the JVM backends in
  /// the middle of one.
  ///
  /// @throws IllegalStateException if the optimizer, or the arena of a parameter or gradient, has
  ///   been closed, or another thread is stepping or closing this optimizer
  /// @throws IllegalArgumentException if data, gradients or states overlap
  /// @throws WrongThreadException if the arena of a parameter or gradient is confined to another
  ///   thread
  public void step() {
    acquire();
    try {
      requireOpen();
      update();
    } finally {
      busy.set(false);
    }
  }

  private void acquire() {
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException(
          "another thread is stepping or closing this optimizer, which is for one at a time");
    }
  }

  private void update() {
    if (gradientsMoved()) {
      plan();
    }
    for (TrackedGroup group : groups) {
      group.plan.requireAlive();
    }
    for (TrackedGroup group : groups) {
      prepare(group);
      backend.step(group.plan, threads);
      for (Tracked row : group.rows) {
        row.steps++;
        row.momentumProduct = row.nextMomentumProduct;
      }
    }
  }

  /// Lets the closure compute the loss and its gradients, then updates every parameter that has
  /// one.
  ///
  /// @return what the closure returned: the loss from before the update
  /// @throws IllegalStateException as [#step()]; what the closure throws passes through, and
  ///   nothing is updated
  public double step(DoubleSupplier closure) {
    requireOpen();
    double loss = closure.getAsDouble();
    step();
    return loss;
  }

  /// Sets all gradients to 0.
  ///
  /// @throws IllegalStateException if the optimizer, or the arena of a gradient, has been closed
  /// @throws IllegalArgumentException if a gradient is read-only; none has been changed then
  public void zeroGrad() {
    requireOpen();
    for (Tracked each : tracked.values()) {
      if (each.parameter.hasGradient()) {
        Parameter parameter = each.parameter;
        Streams.require(
            "gradient of '" + parameter.name() + "'", parameter.size(), parameter.gradient(), true);
      }
    }
    for (Tracked each : tracked.values()) {
      if (each.parameter.hasGradient()) {
        each.parameter.gradient().fill((byte) 0);
      }
    }
  }

  /// The live states of a parameter by the names of [Rule#stateNames()], read-only; empty as long
  /// as it never had a gradient at a step.
  ///
  /// @throws IllegalArgumentException if the parameter is not one of this optimizer's
  public Map<String, MemorySegment> state(Parameter parameter) {
    requireOpen();
    Tracked found = find(parameter);
    Map<String, MemorySegment> named = new LinkedHashMap<>();
    if (found.states != null) {
      for (int i = 0; i < found.states.size(); i++) {
        named.put(rule.stateNames().get(i), found.states.get(i).asReadOnly());
      }
    }
    return named;
  }

  /// The steps at which a parameter had a gradient.
  ///
  /// @throws IllegalArgumentException if the parameter is not one of this optimizer's
  public long stepCount(Parameter parameter) {
    return find(parameter).steps;
  }

  /// Frees the states. Does nothing when that has been done. Parameters and gradients are left
  /// alone.
  ///
  /// @throws IllegalStateException if a step is running
  @Override
  public void close() {
    acquire();
    try {
      closed = true;
      slabs.forEach(Slab::close);
    } finally {
      busy.set(false);
    }
  }

  private Tracked find(Parameter parameter) {
    Tracked found = tracked.get(parameter);
    if (found == null) {
      throw new IllegalArgumentException(parameter + " is not a parameter of this optimizer");
    }
    return found;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the optimizer has been closed");
    }
  }

  /// Whether a gradient came, went or moved since the plan was made.
  private boolean gradientsMoved() {
    for (TrackedGroup group : groups) {
      if (group.plan == null) {
        return true;
      }
      for (Tracked each : group.parameters) {
        if (each.parameter.gradientOrNull() != each.plannedGradient) {
          return true;
        }
      }
    }
    return false;
  }

  /// Makes plans for what has a gradient now. States that are new are kept only if all checks pass.
  private void plan() {
    List<Tracked> fresh =
        tracked.values().stream()
            .filter(each -> each.states == null && each.parameter.hasGradient())
            .toList();
    Slab slab = allocateStates(fresh);
    try {
      accumulateInitially();
      List<StepPlan> plans = StepPlan.of(rule, rowsOfGroups());
      plans.forEach(backend::prepare);
      for (int i = 0; i < groups.length; i++) {
        groups[i].adopt(plans.get(i));
      }
      if (slab != null) {
        slabs.add(slab);
      }
    } catch (Throwable e) {
      fresh.forEach(each -> each.states = null);
      if (slab != null) {
        slab.close();
      }
      throw e;
    }
  }

  /// @return what the states lie in, or `null` where there are none to allocate
  private Slab allocateStates(List<Tracked> fresh) {
    int count = rule.stateNames().size();
    if (count == 0 || fresh.isEmpty()) {
      fresh.forEach(each -> each.states = List.of());
      return null;
    }
    List<String> names = fresh.stream().map(each -> each.parameter.name()).toList();
    long[] sizes = fresh.stream().mapToLong(each -> each.parameter.size()).toArray();
    Slab slab = Slab.allocate(names, sizes, FIRST_STATE_STREAM, count);
    for (int i = 0; i < fresh.size(); i++) {
      int tensor = i;
      fresh.get(i).states =
          IntStream.range(0, count).mapToObj(stream -> slab.get(stream, tensor)).toList();
    }
    return slab;
  }

  /// Gives sums of squares what they start from, before their parameter's first step.
  private void accumulateInitially() {
    if (rule.secondMoment() != SecondMoment.SUM) {
      return;
    }
    int sum = rule.stateNames().indexOf("secondMoment");
    for (TrackedGroup group : groups) {
      float initial = (float) group.group.get(Hyperparameter.INITIAL_ACCUMULATOR);
      for (Tracked each : group.parameters) {
        if (each.steps == 0 && each.states != null) {
          MemorySegment state = each.states.get(sum);
          for (long i = 0; i < each.parameter.size(); i++) {
            state.setAtIndex(ValueLayout.JAVA_FLOAT, i, initial);
          }
        }
      }
    }
  }

  private List<List<StepPlan.Row>> rowsOfGroups() {
    return Arrays.stream(groups).map(TrackedGroup::withGradient).map(Optimizer::rows).toList();
  }

  private static List<StepPlan.Row> rows(Tracked[] parameters) {
    return Arrays.stream(parameters)
        .map(
            each ->
                new StepPlan.Row(
                    each.parameter.name(),
                    each.parameter.size(),
                    each.parameter.data(),
                    each.parameter.gradient(),
                    each.states))
        .toList();
  }

  /// Computes the coefficients of a group's step; neighbours that have made the same number of
  /// steps share them.
  private void prepare(TrackedGroup group) {
    Hyperparameters values = group.group.values();
    group.plan.begin(values.decays());
    double product = 1;
    for (int i = 0; i < group.rows.length; i++) {
      Tracked row = group.rows[i];
      if (i == 0 || !row.isAtTheStepOf(group.rows[i - 1])) {
        Coefficients coefficients = group.plan.nextCoefficients();
        coefficients.compute(rule, values, row.steps + 1, row.momentumProduct);
        product = coefficients.momentumProduct;
      }
      row.nextMomentumProduct = product;
      group.plan.assign(i);
    }
  }
}
