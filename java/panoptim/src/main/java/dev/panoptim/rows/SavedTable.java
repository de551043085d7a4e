package dev.panoptim.rows;

import dev.panoptim.internal.checkpoint.TableState;
import dev.panoptim.internal.table.OneThread;
import dev.panoptim.internal.table.TableSteps;

/// What the states of all tables have in common for a checkpoint: their one user, and their steps.
abstract class SavedTable implements TableState {
  private final OneThread user;
  private final TableSteps steps;

  SavedTable(OneThread user, TableSteps steps) {
    this.user = user;
    this.steps = steps;
  }

  @Override
  public final void enter() {
    user.enter();
  }

  @Override
  public final void leave() {
    user.leave();
  }

  @Override
  public final long steps() {
    return steps.count();
  }

  @Override
  public final double learningRate() {
    return steps.learningRate();
  }

  @Override
  public final double[] learningRates() {
    return steps.learningRates();
  }

  /// Continues after the steps of a checkpoint, which [TableSteps#requireRestorable] accepted.
  final void restoreSteps(Contents contents) {
    steps.learningRate(contents.learningRate());
    steps.restore(contents.steps(), contents.learningRates());
  }

  final void requireRestorable(Contents contents) {
    steps.requireRestorable(contents.steps(), contents.learningRate(), contents.learningRates());
  }
}
