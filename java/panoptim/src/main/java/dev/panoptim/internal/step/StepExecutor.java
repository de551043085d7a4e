package dev.panoptim.internal.step;

import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.observe.Events;
import dev.panoptim.internal.observe.StepCounter;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.util.ArrayList;
import java.util.List;

/// Makes the steps of an optimizer's groups: brings the [GroupPlans] up to date, takes the norm if
/// the settings need one, computes coefficients, and calls the engine.
///
/// Not thread-safe.
public final class StepExecutor {
  private final Rule rule;
  private final Engine engine;
  private final int threads;
  private final TrackedParameters parameters;
  private final GroupPlans plans;

  /// The groups of these plans; a live list.
  private final List<GroupPlan> groups;

  private final StepSettings settings;

  /// `null` if nothing is published.
  private final StepPublisher publisher;

  /// NaN if parameters are not averaged.
  private final double averageDecay;

  private final StepOutcome outcome = new StepOutcome();

  /// Made at the first step that needs one.
  private NormDecision decision;

  private final StepCounter counter = new StepCounter();
  private boolean closed;

  /// @param threads the most threads of a step, including the calling one
  /// @param parameters as they are at each step
  /// @param settings as they are at each step
  /// @param publisher `null` if nothing is published
  /// @param averageDecay the decay of running averages; NaN if parameters are not averaged
  public StepExecutor(
      Engine engine,
      int threads,
      StateMemory memory,
      TrackedParameters parameters,
      StepSettings settings,
      StepPublisher publisher,
      double averageDecay) {
    this.engine = engine;
    this.threads = threads;
    this.parameters = parameters;
    this.settings = settings;
    rule = memory.format().rule();
    plans = new GroupPlans(engine, memory, parameters.liveGroups());
    groups = plans.groups();
    this.publisher = publisher;
    this.averageDecay = averageDecay;
  }

  /// The optimizer has been built, and counts as open until it is closed.
  public void open() {
    counter.open(this);
  }

  /// Groups have been added to the optimizer.
  public void groupsAdded() {
    plans.addGroups();
  }

  /// Closes all plans, for the next steps to make new ones. The last step has been settled.
  public void dropPlans() {
    plans.drop();
  }

  /// What the last step did. The next step overwrites it.
  public StepOutcome outcome() {
    return outcome;
  }

  /// Makes a step of all groups with the current settings.
  public void step() {
    Object event = Events.beginStep();
    long begin = counter.begin(plans.elements());
    makeStep();
    counter.end(begin, outcome.isKnownSkipped());
    if (event != null) {
      record(event);
    }
  }

  /// Writes to the flight recorder what is known without a wait for a GPU.
  private void record(Object event) {
    boolean known = !outcome.isPending();
    int helpers = 0;
    for (GroupPlan group : groups) {
      helpers = Math.max(helpers, group.plan.helpers());
    }
    Events.endStep(
        event,
        engine.name(),
        plans.elements(),
        threads,
        helpers,
        known ? outcome.norm() : Double.NaN,
        known ? outcome.clipFactor() : Double.NaN,
        outcome.isKnownSkipped());
  }

  private void makeStep() {
    settle();
    parameters.updateGradients();
    outcome.begin();
    plans.update();
    if (!refusesByItself()) {
      requireReady();
    }
    float clipValue = (float) settings.clipGradValue;
    for (int i = 0; i < groups.size(); i++) {
      groups.get(i).plan.treatGradients(clipValue, settings.zeroGrad);
    }
    if (!settings.needsNorm()) {
      updateGroups((float) settings.gradientScale, null);
      return;
    }
    decide();
    if (!decision.isOnHost()) {
      updateGroups(1, decision);
    } else if (!decision.skips()) {
      updateGroups((float) (settings.gradientScale * decision.clipFactor()), null);
    } else if (settings.zeroGrad) {
      plans.zeroGradients();
    }
  }

  /// Whether the step is one update, without anything before it that changes something or refuses
  /// in other words, and the engine finds dead memory when it begins that update. Then one check of
  /// each arena is enough, which is what the linker does.
  private boolean refusesByItself() {
    if (groups.size() != 1 || publisher != null || settings.needsNorm()) {
      return false;
    }
    StepPlan plan = groups.getFirst().plan;
    return plan.values().zeroes() == settings.zeroGrad && engine.refusesDeadMemory(plan, threads);
  }

  /// Checks all that the engine can refuse, before the first group changes.
  private void requireReady() {
    for (int i = 0; i < groups.size(); i++) {
      engine.requireReady(groups.get(i).plan);
    }
    if (publisher != null) {
      publisher.requireReady();
    }
  }

  /// Makes the step that follows write to a publication, if it is to be published.
  private void beginPublishing() {
    PublishTarget target = publisher.beginStep();
    if (engine.device().isCpu()) {
      for (int i = 0; i < groups.size(); i++) {
        groups.get(i).plan.values().publishTo(target);
      }
    }
  }

  /// Publishes the step that has been made.
  private void endPublishing() {
    if (publisher.publishes() && !engine.device().isCpu()) {
      engine.await();
      settle();
      if (outcome.skipped()) {
        return;
      }
    }
    publisher.endStep();
  }

  /// Takes the norm of all gradients, and decides what follows from it.
  private void decide() {
    if (decision == null) {
      decision = engine.newNormDecision();
    }
    decision.begin();
    for (int i = 0; i < groups.size(); i++) {
      decision.add(groups.get(i).plan, threads);
    }
    decision.decide(settings.gradientScale, settings.clipGradNorm, settings.skipNonFinite);
    outcome.decidedBy(decision);
  }

  /// @param scale the factor of gradients
  /// @param decides the decision that the GPU follows; `null` if the host has followed it
  private void updateGroups(float scale, NormDecision decides) {
    if (publisher != null) {
      beginPublishing();
    }
    for (int i = 0; i < groups.size(); i++) {
      GroupPlan group = groups.get(i);
      prepare(group, scale);
      engine.step(group.plan, threads, decides);
      outcome.updated(group.rows.length);
      if (decides != null && settings.skipNonFinite) {
        group.unsettled = true;
      } else {
        group.advance();
      }
    }
    if (publisher != null) {
      endPublishing();
    }
  }

  /// Counts the last step where only the GPU knew whether it was made. It decided that before the
  /// update, so there is as a rule nothing to wait for.
  public void settle() {
    boolean skipped = false;
    for (int i = 0; i < groups.size(); i++) {
      GroupPlan group = groups.get(i);
      if (group.unsettled) {
        if (!decision.skips()) {
          group.advance();
        } else {
          skipped = true;
        }
        group.unsettled = false;
      }
    }
    if (skipped) {
      counter.skipped();
    }
  }

  /// Computes the coefficients of a group's step. Neighbouring rows with the same number of steps
  /// share them.
  ///
  /// @param scale the factor of gradients
  private void prepare(GroupPlan group, float scale) {
    Hyperparameters values = group.values();
    group.plan.values().begin(values.decays());
    double product = 1;
    for (int i = 0; i < group.rows.length; i++) {
      TrackedParameter row = group.rows[i];
      row.refresh();
      if (i == 0 || !row.isAtTheStepOf(group.rows[i - 1])) {
        Coefficients coefficients = group.plan.values().nextCoefficients();
        coefficients.compute(rule, values, row.steps() + 1, row.momentumProduct());
        coefficients.scaleGradients(scale);
        coefficients.averageParameters(row.steps() == 0 ? 1 : (float) (1 - averageDecay));
        product = coefficients.momentumProduct;
      }
      row.nextMomentumProduct = product;
      group.plan.values().assign(i);
    }
  }

  /// Sets all gradients to 0: those of all parameters that have one.
  ///
  /// @throws IllegalStateException if the arena of a gradient has been closed
  /// @throws IllegalArgumentException if a gradient is read-only; none has been changed then
  public void zeroGradients() {
    parameters.updateGradients();
    boolean onCpu = engine.device().isCpu();
    for (TrackedParameter each : parameters.all()) {
      if (each.parameter.hasGradient()) {
        String name = gradientName(each);
        TensorChecks.requireAlive(name, each.parameter.gradient());
        Segments.requireWritable(name, each.parameter.gradient());
      }
    }
    if (!onCpu && !plans.gradientsMoved()) {
      // At once: a call for each gradient takes longer than the work itself.
      plans.zeroGradients();
      return;
    }
    if (!onCpu) {
      // A framework may have freed one meanwhile: that is found before the first is changed.
      DeviceAccess.get().forgetRanges(engine.device());
      for (TrackedParameter each : parameters.all()) {
        Parameter parameter = each.parameter;
        if (parameter.hasGradient()
            && !TensorChecks.areFloats(engine.device(), parameter.size(), parameter.gradient())) {
          TensorChecks.require(
              engine.device(), gradientName(each), parameter.size(), parameter.gradient(), true);
        }
      }
    }
    for (TrackedParameter each : parameters.all()) {
      if (each.parameter.hasGradient()) {
        engine.zero(each.parameter.gradient(), each.bytes());
      }
    }
  }

  private static String gradientName(TrackedParameter each) {
    return "gradient of '" + each.name() + "'";
  }

  /// Counts the last step, and frees the memory of plans and decisions. A second call has no
  /// effect.
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    List<Runnable> parts = new ArrayList<>(List.of(this::settle));
    parts.add(this::dropPlans);
    if (decision != null) {
      parts.add(decision::close);
    }
    parts.add(counter::close);
    CloseAll.all(parts);
  }
}
