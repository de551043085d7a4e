package dev.panoptim.optim;

import dev.panoptim.internal.observe.Events;
import dev.panoptim.internal.observe.StepCounter;
import dev.panoptim.internal.step.Coefficients;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.GradientRebinding;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.PublishTarget;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// How an optimizer's groups make a step: plans that know where gradients are, the norm where the
/// options ask for one, coefficients, and the backend.
final class StepExecutor {
  private final Rule rule;
  private final Engine engine;
  private final int threads;
  private final StateMemory memory;
  private final List<TrackedGroup> groups;
  private final StepOptions options;

  /// `null` where nothing is published.
  private final Publisher publisher;

  /// NaN where parameters are not averaged.
  private final double averageDecay;

  /// Of all groups' plans; `null` until there are some, and where a move or the making of new plans
  /// began and did not end.
  private GradientRebinding movingGradients;

  /// Of each group's rows; filled anew whenever some have moved.
  private final List<MemorySegment[]> gradients = new ArrayList<>();

  private final StepReport report = new StepReport();

  /// Made at the first step that needs one.
  private NormDecision decision;

  private final StepCounter counter = new StepCounter();

  /// @param groups as they are at each step
  /// @param options as they are at each step
  /// @param publisher `null` where nothing is published
  StepExecutor(
      Rule rule,
      Engine engine,
      int threads,
      StateMemory memory,
      List<TrackedGroup> groups,
      StepOptions options,
      Publisher publisher,
      double averageDecay) {
    this.rule = rule;
    this.engine = engine;
    this.threads = threads;
    this.memory = memory;
    this.groups = groups;
    this.options = options;
    this.publisher = publisher;
    this.averageDecay = averageDecay;
  }

  /// The optimizer has been built, and counts as open until it is closed.
  void open() {
    counter.open(this);
  }

  /// What the last step did.
  StepReport report() {
    return report;
  }

  /// Makes a step of all groups, with what the options ask for.
  void step() {
    Object event = Events.beginStep();
    long begin = counter.begin();
    makeStep();
    counter.end(begin, report.isKnownSkipped());
    if (event != null) {
      record(event);
    }
  }

  /// Says to the flight recorder what is known at once: no step waits for a GPU to say it.
  private void record(Object event) {
    boolean known = !report.isPending();
    int helpers = 0;
    for (TrackedGroup group : groups) {
      helpers = Math.max(helpers, group.plan.helpers());
    }
    Events.endStep(
        event,
        engine.name(),
        counter.elements(),
        threads,
        helpers,
        known ? report.norm() : Double.NaN,
        known ? report.clipFactor() : Double.NaN,
        report.isKnownSkipped());
  }

  private void makeStep() {
    settle();
    report.begin();
    if (gradientsMoved() && !moveGradients()) {
      plan();
    }
    // All that a backend can refuse, before the first group changes.
    for (int i = 0; i < groups.size(); i++) {
      engine.requireReady(groups.get(i).plan);
    }
    if (publisher != null) {
      publisher.requireReady();
    }
    float clipValue = (float) options.clipGradValue();
    for (int i = 0; i < groups.size(); i++) {
      groups.get(i).plan.treatGradients(clipValue, options.zeroGrad());
    }
    if (!options.needsNorm()) {
      updateGroups((float) options.gradientScale(), null);
      return;
    }
    decide();
    if (!decision.isOnHost()) {
      updateGroups(1, decision);
    } else if (!decision.skips()) {
      updateGroups((float) (options.gradientScale() * decision.clipFactor()), null);
    } else if (options.zeroGrad()) {
      zeroGradients();
    }
  }

  /// Has the step that follows write to a publication, if it is to.
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
      if (report.skipped()) {
        return;
      }
    }
    publisher.endStep();
  }

  /// Takes the norm of all gradients, and says what follows from it.
  private void decide() {
    if (decision == null) {
      decision = engine.newNormDecision();
    }
    decision.begin();
    for (int i = 0; i < groups.size(); i++) {
      decision.add(groups.get(i).plan, threads);
    }
    decision.decide(options.gradientScale(), options.clipGradNorm(), options.skipNonFinite());
    report.judgedBy(decision);
  }

  /// @param scale what gradients are multiplied with
  /// @param decides scales too, and whether there is a step; `null` where that is known
  private void updateGroups(float scale, NormDecision decides) {
    if (publisher != null) {
      beginPublishing();
    }
    for (int i = 0; i < groups.size(); i++) {
      TrackedGroup group = groups.get(i);
      prepare(group, scale);
      engine.step(group.plan, threads, decides);
      report.updated(group.rows.length);
      if (decides != null && options.skipNonFinite()) {
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
  void settle() {
    boolean skipped = false;
    for (int i = 0; i < groups.size(); i++) {
      TrackedGroup group = groups.get(i);
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

  /// Computes the coefficients of a group's step; neighbours that have made the same number of
  /// steps share them.
  ///
  /// @param scale what gradients are multiplied with
  private void prepare(TrackedGroup group, float scale) {
    Hyperparameters values = group.group.values();
    group.plan.values().begin(values.decays());
    double product = 1;
    for (int i = 0; i < group.rows.length; i++) {
      TrackedParameter row = group.rows[i];
      row.refresh();
      if (i == 0 || !row.isAtTheStepOf(group.rows[i - 1])) {
        Coefficients coefficients = group.plan.values().nextCoefficients();
        coefficients.compute(rule, values, row.steps() + 1, row.momentumProduct());
        // 1 or -1 times the scale: exact.
        coefficients.gradientScale *= scale;
        coefficients.averageTake = row.steps() == 0 ? 1 : (float) (1 - averageDecay);
        product = coefficients.momentumProduct;
      }
      row.nextMomentumProduct = product;
      group.plan.values().assign(i);
    }
  }

  /// Sets to 0 the gradients that the last plans are of.
  void zeroGradients() {
    for (int i = 0; i < groups.size(); i++) {
      engine.zeroGradients(groups.get(i).plan);
    }
  }

  /// Whether a gradient came, went or moved without the plans' knowing.
  boolean gradientsMoved() {
    if (movingGradients == null) {
      return true;
    }
    for (int i = 0; i < groups.size(); i++) {
      TrackedGroup group = groups.get(i);
      if (group.plan == null) {
        return true;
      }
      for (TrackedParameter each : group.parameters) {
        if (each.gradientMoved()) {
          return true;
        }
      }
    }
    return false;
  }

  /// Tells the plans where gradients lie that are of the same parameters as before.
  ///
  /// @return whether that was enough; if not, it takes new plans
  private boolean moveGradients() {
    if (movingGradients == null) {
      return false;
    }
    gradients.clear();
    for (int i = 0; i < groups.size(); i++) {
      if (!groups.get(i).hasItsRows()) {
        return false;
      }
      gradients.add(groups.get(i).gradients());
    }
    GradientRebinding moving = movingGradients;
    // Should this end in the middle, by an error of the Java machine, only new plans will do.
    movingGradients = null;
    if (!moving.moveTo(gradients)) {
      return false;
    }
    for (int i = 0; i < groups.size(); i++) {
      groups.get(i).keepGradients();
    }
    movingGradients = moving;
    return true;
  }

  /// Makes plans for what has a gradient now. States that are new are kept only if all checks pass.
  private void plan() {
    List<Runnable> before = new ArrayList<>();
    movingGradients = null;
    memory.allocate(
        groups,
        each -> each.parameter.hasGradient(),
        () -> {
          List<StepPlan> plans = memory.plans(groups);
          prepare(plans);
          GradientRebinding moving = new GradientRebinding(plans);
          for (int i = 0; i < plans.size(); i++) {
            StepPlan old = groups.get(i).adopt(plans.get(i));
            if (old != null) {
              before.add(old::close);
            }
          }
          movingGradients = moving;
          counter.elements(plans.stream().mapToLong(each -> each.rows().elements()).sum());
        });
    CloseAll.all(before);
  }

  /// All or none.
  private void prepare(List<StepPlan> plans) {
    try {
      for (int i = 0; i < plans.size(); i++) {
        engine.prepare(plans.get(i), groups.get(i).plan);
      }
    } catch (Throwable e) {
      plans.forEach(StepPlan::close);
      throw e;
    }
  }

  /// Settles the last step, and frees what steps have been made with.
  void close() {
    List<Runnable> parts = new ArrayList<>(List.of(this::settle));
    groups.forEach(group -> parts.add(group::dropPlan));
    if (decision != null) {
      parts.add(decision::close);
    }
    parts.add(counter::close);
    CloseAll.all(parts);
  }
}
