package dev.panoptim.optim;

import dev.panoptim.internal.step.Hooks;
import dev.panoptim.internal.step.StepExecutor;
import dev.panoptim.internal.step.TrackedParameters;
import dev.panoptim.internal.step.Turns;

/// The steps of an optimizer, with the hooks before and after them.
///
/// Not thread-safe, but for the hooks.
final class Steps {
  final Hooks<Optimizer> preHooks = new Hooks<>();
  final Hooks<Optimizer> postHooks = new Hooks<>();

  private final Optimizer optimizer;
  private final Turns turns;
  private final StepExecutor executor;
  private final StepReport report;
  private final TrackedParameters parameters;

  /// @param optimizer is passed to the hooks
  Steps(Optimizer optimizer, OptimizerParts parts) {
    this.optimizer = optimizer;
    turns = parts.turns;
    executor = parts.executor;
    report = parts.report;
    parameters = parts.parameters;
  }

  /// See [Optimizer#step()].
  StepReport make() {
    turns.enterStep();
    try {
      turns.requireOpen();
      if (!preHooks.isEmpty()) {
        parameters.updateGradients();
        turns.call(preHooks, optimizer);
      }
      executor.step();
      turns.call(postHooks, optimizer);
      return report;
    } finally {
      turns.leave();
    }
  }
}
