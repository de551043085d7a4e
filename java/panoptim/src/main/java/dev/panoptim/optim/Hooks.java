package dev.panoptim.optim;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;

/// The hooks of one moment of a step, in the order in which they were added.
///
/// A call runs the hooks that were there when it began: what a hook adds runs from the next step
/// on, and what it removes runs for the last time in this one.
final class Hooks {
  /// A registration. The same hook may be added twice, so its identity is not the hook's.
  private record Registration(Consumer<Optimizer> hook) {
    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  /// Replaced, never written: a call that iterates over it sees no change.
  private volatile Registration[] registrations = {};

  /// @return removes this registration alone; does nothing when it has been removed
  Runnable add(Consumer<Optimizer> hook) {
    Registration added = new Registration(Objects.requireNonNull(hook, "hook is null"));
    synchronized (this) {
      Registration[] longer = Arrays.copyOf(registrations, registrations.length + 1);
      longer[longer.length - 1] = added;
      registrations = longer;
    }
    return () -> remove(added);
  }

  private synchronized void remove(Registration removed) {
    registrations =
        Arrays.stream(registrations).filter(each -> each != removed).toArray(Registration[]::new);
  }

  /// Runs all hooks. What one of them throws passes through, and the rest is not run.
  void call(Optimizer optimizer) {
    for (Registration each : registrations) {
      each.hook.accept(optimizer);
    }
  }
}
