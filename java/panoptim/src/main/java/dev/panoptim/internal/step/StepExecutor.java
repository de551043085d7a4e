package dev.panoptim.internal.step;

import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.observe.Events;
import dev.panoptim.internal.observe.StepCounter;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.Parameter;
import java.util.ArrayList;
import java.util.List;

/// Makes the steps of an optimizer, of all parameters or of some: brings the [GroupPlans] up to
/// date, takes the norm if the settings need one, computes coefficients, and calls the engine.
///
/// Not thread-safe.
public final class StepExecutor {
  private final Engine engine;
  private final int threads;
  private final TrackedParameters parameters;
  private final PlanMaker maker;

  /// The plans of steps of all parameters.
  private final GroupPlans whole;

  private final PartialPlans partial;
  private final StepSettings settings;

  /// `null` if nothing is published.
  private final StepPublisher publisher;

  private final GroupUpdates updates;

  private final CurvatureMeasurement measurement;
  private final RowClipping rowClipping;
  private final StepOutcome outcome = new StepOutcome();

  /// Made at the first step that needs one.
  private NormDecision decision;

  /// Whether a group of the last whole step may be unsettled.
  private boolean unsettled;

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
    maker = new PlanMaker(engine, threads, memory, parameters);
    whole = GroupPlans.ofAll(engine, maker, memory, parameters);
    partial = new PartialPlans(engine, maker, memory, parameters);
    measurement = new CurvatureMeasurement(engine, threads, whole, settings);
    rowClipping = new RowClipping(engine, threads, parameters, memory.origin());
    this.publisher = publisher;
    updates = new GroupUpdates(engine, threads, averageDecay);
  }

  /// The optimizer has been built, and counts as open until it is closed.
  public void open() {
    counter.open(this);
  }

  /// Groups have been added to the optimizer.
  public void groupsAdded() {
    whole.addGroups();
    // Gradients must not overlap the new data, and a new parameter may be larger than all others.
    List<Runnable> parts = new ArrayList<>(List.of(partial::drop, rowClipping::free));
    if (maker.hasWorkspace()) {
      // The plans of stages use the workspace, whose size changes.
      parts.add(whole::drop);
      parts.add(maker::freeWorkspace);
    }
    CloseAll.all(parts);
  }

  /// Closes all plans; the next steps make new ones.
  public void dropPlans() {
    CloseAll.all(List.of(whole::drop, partial::drop));
  }

  /// What a step of all parameters needs.
  public GroupPlans whole() {
    return whole;
  }

  /// What a step of some parameters needs.
  ///
  /// @throws IllegalArgumentException if there is no parameter, one is given twice, or one is not a
  ///   parameter of the optimizer
  /// @throws IllegalStateException if the settings need the gradients of all parameters
  /// @throws NullPointerException if one is `null`
  public GroupPlans partial(Parameter[] chosen) {
    settings.requirePartialSteps();
    return partial.of(chosen);
  }

  /// What the last step did. The next step overwrites it.
  public StepOutcome outcome() {
    return outcome;
  }

  /// Makes a step with the current settings.
  ///
  /// @param plans [#whole] or the result of [#partial], since when no group has been added and no
  ///   plan dropped
  /// @throws IllegalStateException if a step of some parameters does not fit the settings
  public void step(GroupPlans plans) {
    if (plans != whole) {
      settings.requirePartialSteps();
    }
    Object event = Events.beginStep();
    long begin = counter.begin(plans.elements());
    makeStep(plans, plans == whole ? publisher : null);
    counter.end(begin, outcome.isKnownSkipped());
    if (event != null) {
      record(event, plans);
    }
  }

  /// Measures the curvature; as [CurvatureMeasurement#measure].
  public void measureCurvature() {
    settle();
    measurement.measure(outcome);
  }

  /// Writes to the flight recorder what is known without a wait for a GPU.
  private void record(Object event, GroupPlans plans) {
    boolean known = !outcome.isPending();
    int helpers = 0;
    for (GroupPlan group : plans.groups()) {
      helpers = Math.max(helpers, group.plan.helpers());
      if (group.stage != null) {
        helpers = Math.max(helpers, group.stage.update().helpers());
      }
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

  /// @param publisher `null` if the step is not published
  private void makeStep(GroupPlans plans, StepPublisher publisher) {
    settle();
    plans.findGradients();
    outcome.begin();
    plans.update();
    List<GroupPlan> groups = plans.groups();
    if (!refusesByItself(groups, publisher)) {
      requireReady(groups, publisher);
    }
    if (settings.clipsAdaptively()) {
      rowClipping.requireReady(groups, settings);
    }
    float clipValue = (float) settings.clipGradValue;
    for (int i = 0; i < groups.size(); i++) {
      groups.get(i).plan.treatGradients(clipValue, settings.zeroGrad);
    }
    if (settings.clipsAdaptively()) {
      rowClipping.clip(groups, settings);
    }
    if (!settings.needsNorm()) {
      updateGroups(groups, publisher, (float) settings.gradientScale, null);
      return;
    }
    decide(groups);
    // The host must know the scale of gradients that it measures, and waits for it.
    if (!decision.isOnHost() && !anyMeasured(groups)) {
      updateGroups(groups, publisher, 1, decision);
    } else if (!decision.skips()) {
      float scale = (float) (settings.gradientScale * decision.clipFactor());
      updateGroups(groups, publisher, scale, null);
    } else if (settings.zeroGrad) {
      plans.zeroGradients();
    }
  }

  /// Whether the step is one update, without anything before it that changes something or refuses
  /// in other words, and the engine finds dead memory when it begins that update. Then one check of
  /// each arena is enough, which is what the linker does.
  private boolean refusesByItself(List<GroupPlan> groups, StepPublisher publisher) {
    if (groups.size() != 1
        || groups.getFirst().stage != null
        || publisher != null
        || settings.clipsAdaptively()
        || settings.needsNorm()) {
      return false;
    }
    StepPlan plan = groups.getFirst().plan;
    return plan.values().zeroes() == settings.zeroGrad && engine.refusesDeadMemory(plan, threads);
  }

  /// Checks all that the engine can refuse, before the first group changes.
  private void requireReady(List<GroupPlan> groups, StepPublisher publisher) {
    for (int i = 0; i < groups.size(); i++) {
      GroupPlan group = groups.get(i);
      engine.requireReady(group.plan);
      if (group.stage != null) {
        requireReady(group.stage.plans());
      }
    }
    if (publisher != null) {
      publisher.requireReady();
    }
  }

  private void requireReady(List<StepPlan> plans) {
    for (int i = 0; i < plans.size(); i++) {
      engine.requireReady(plans.get(i));
    }
  }

  /// Makes the step that follows write to a publication, if it is to be published.
  private void beginPublishing(List<GroupPlan> groups) {
    PublishTarget target = publisher.beginStep();
    if (engine.device().isCpu()) {
      for (int i = 0; i < groups.size(); i++) {
        groups.get(i).writer().values().publishTo(target);
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
  private void decide(List<GroupPlan> groups) {
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
  private void updateGroups(
      List<GroupPlan> groups, StepPublisher publisher, float scale, NormDecision decides) {
    if (publisher != null) {
      beginPublishing(groups);
    }
    for (int i = 0; i < groups.size(); i++) {
      GroupPlan group = groups.get(i);
      updates.update(group, scale, decides);
      outcome.updated(group.rows.length);
      if (decides != null && settings.skipNonFinite) {
        group.unsettled = true;
        unsettled = true;
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
    if (!unsettled) {
      return;
    }
    boolean skipped = false;
    List<GroupPlan> groups = whole.groups();
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
    unsettled = false;
    if (skipped) {
      counter.skipped();
    }
  }

  private static boolean anyMeasured(List<GroupPlan> groups) {
    for (int i = 0; i < groups.size(); i++) {
      if (groups.get(i).rule().isMeasured()) {
        return true;
      }
    }
    return false;
  }

  /// Sets all gradients to 0: those of all parameters that have one.
  ///
  /// @throws IllegalStateException if the arena of a gradient has been closed
  /// @throws IllegalArgumentException if a gradient is read-only; none has been changed then
  public void zeroGradients() {
    whole.findGradients();
    boolean onCpu = engine.device().isCpu();
    for (TrackedParameter each : parameters.all()) {
      if (each.parameter.hasGradient()) {
        String name = gradientName(each);
        TensorChecks.requireAlive(name, each.parameter.gradient());
        Segments.requireWritable(name, each.parameter.gradient());
      }
    }
    if (!onCpu && !whole.gradientsMoved()) {
      // At once: a call for each gradient takes longer than the work itself.
      whole.zeroGradients();
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
    parts.add(measurement::close);
    parts.add(maker::freeWorkspace);
    parts.add(rowClipping::free);
    if (decision != null) {
      parts.add(decision::close);
    }
    parts.add(counter::close);
    CloseAll.all(parts);
  }
}
