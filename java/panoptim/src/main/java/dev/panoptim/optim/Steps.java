package dev.panoptim.optim;

import dev.panoptim.internal.step.Evaluation;
import dev.panoptim.internal.step.GroupPlans;
import dev.panoptim.internal.step.Hooks;
import dev.panoptim.internal.step.StepExecutor;
import dev.panoptim.internal.step.Turns;
import dev.panoptim.memory.Parameter;

/// The steps of an optimizer, with the hooks before and after them.
///
/// Not thread-safe, but for the hooks.
final class Steps {
  final Hooks<Optimizer> preHooks = new Hooks<>();
  final Hooks<Optimizer> postHooks = new Hooks<>();

  private final Optimizer optimizer;
  private final Turns turns;
  private final StepExecutor executor;
  private final Evaluation evaluation;
  private final StepReport report;

  /// @param optimizer is passed to the hooks
  Steps(Optimizer optimizer, OptimizerParts parts) {
    this.optimizer = optimizer;
    turns = parts.turns;
    executor = parts.executor;
    evaluation = parts.evaluation;
    report = parts.report;
  }

  /// Makes a step of all parameters or of some.
  ///
  /// @param chosen `null` for all parameters
  StepReport make(Parameter[] chosen) {
    turns.enterStep();
    try {
      turns.requireOpen();
      evaluation.requireEnded();
      GroupPlans plans = chosen == null ? executor.whole() : executor.partial(chosen);
      if (!preHooks.isEmpty()) {
        plans.findGradients();
        turns.call(preHooks, optimizer);
      }
      executor.step(plans);
      turns.call(postHooks, optimizer);
      return report;
    } finally {
      turns.leave();
    }
  }

  /// Measures the curvature; see [Optimizer#updateHessian()].
  StepReport measureCurvature() {
    turns.enterStep();
    try {
      turns.requireOpen();
      evaluation.requireEnded();
      executor.measureCurvature();
      return report;
    } finally {
      turns.leave();
    }
  }
}
