package dev.panoptim.internal.step;

import dev.panoptim.internal.step.ExclusiveUse.Purpose;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// The order in which threads use an optimizer, from its first step until it is closed.
///
/// Thread-safe.
public final class Turns {
  private final ExclusiveUse use = new ExclusiveUse();
  private final Engine engine;
  private final StepExecutor executor;
  private volatile boolean closed;

  public Turns(Engine engine, StepExecutor executor) {
    this.engine = engine;
    this.executor = executor;
  }

  /// @throws IllegalStateException if the optimizer has been closed
  public void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the optimizer has been closed");
    }
  }

  /// Begins a step; [#leave] ends it, also if the optimizer turns out to be closed.
  ///
  /// @throws IllegalStateException as [ExclusiveUse#enter]
  public void enterStep() {
    use.enter(Purpose.STEP);
  }

  public void leave() {
    use.leave();
  }

  /// Calls hooks within a step: they may read the optimizer, and nothing else.
  public <T> void call(Hooks<T> hooks, T subject) {
    use.runsHooks(true);
    try {
      hooks.call(subject);
    } finally {
      use.runsHooks(false);
    }
  }

  /// Runs an action while no other thread uses the optimizer.
  ///
  /// @throws IllegalStateException as [ExclusiveUse#enter]
  private <T> T inTurn(Purpose purpose, Supplier<T> action) {
    boolean entered = use.enter(purpose);
    try {
      return action.get();
    } finally {
      if (entered) {
        use.leave();
      }
    }
  }

  /// In turn, of an optimizer that is open and whose last step is counted.
  ///
  /// @throws IllegalStateException if the optimizer has been closed, or as [#inTurn]
  public <T> T exclusively(Purpose purpose, Supplier<T> action) {
    return inTurn(
        purpose,
        () -> {
          requireOpen();
          executor.settle();
          return action.get();
        });
  }

  /// Exclusively, once all steps are done.
  ///
  /// @throws IllegalStateException as [#exclusively]
  public <T> T atRest(Purpose purpose, Supplier<T> action) {
    return exclusively(
        purpose,
        () -> {
          engine.await();
          return action.get();
        });
  }

  /// Changes the optimizer at rest.
  ///
  /// @throws IllegalStateException as [#exclusively]
  public void change(Runnable action) {
    atRest(
        Purpose.CHANGE,
        () -> {
          action.run();
          return null;
        });
  }

  /// Sets all gradients to 0.
  ///
  /// @throws IllegalStateException if the optimizer has been closed, or as
  ///   [StepExecutor#zeroGradients]
  public void zeroGradients() {
    if (engine.device().isCpu()) {
      requireOpen();
      executor.zeroGradients();
      return;
    }
    // This uses a GPU's tables, which another thread could free by loading states or by closing.
    inTurn(
        Purpose.READ,
        () -> {
          requireOpen();
          executor.zeroGradients();
          return null;
        });
  }

  /// Counts the last step if only a GPU knew whether it was made. This takes a turn, since other
  /// threads may call it during a step.
  public void settle() {
    if (engine.device().isCpu()) {
      return;
    }
    inTurn(
        Purpose.READ,
        () -> {
          executor.settle();
          return null;
        });
  }

  /// Closes the optimizer, after the threads that came before.
  ///
  /// @param free frees all that can be freed now; is run again if the optimizer is closed again
  /// @throws IllegalStateException if this thread holds the optimizer
  public void close(Runnable free) {
    use.enter(Purpose.CLOSE);
    closeAndLeave(free);
  }

  /// As [#close(Runnable)], but waits no longer than a timeout.
  ///
  /// @return whether the optimizer is closed now
  public boolean close(Duration timeout, Runnable free) {
    boolean entered = use.tryEnter(Purpose.CLOSE, TimeUnit.NANOSECONDS.convert(timeout));
    if (entered) {
      closeAndLeave(free);
    }
    return entered;
  }

  private void closeAndLeave(Runnable free) {
    try {
      closed = true;
      free.run();
    } finally {
      use.leave();
    }
  }
}
