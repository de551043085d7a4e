package dev.panoptim.internal.step;

import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// The hooks of one moment of a step, in the order in which they were added.
///
/// A call runs the hooks that were there when it began: what a hook adds runs from the next step
/// on, and what it removes runs for the last time in this one.
///
/// Thread-safe.
///
/// @param <T> what a hook is given
public final class Hooks<T> {
  /// A registration. The same hook may be added twice, so its identity is not the hook's.
  private record Registration<T>(Consumer<? super T> hook) {
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
  private volatile List<Registration<T>> registrations = List.of();

  /// @return removes this registration alone; does nothing when it has been removed
  public Runnable add(Consumer<? super T> hook) {
    Registration<T> added = new Registration<>(Objects.requireNonNull(hook, "hook is null"));
    synchronized (this) {
      registrations = Stream.concat(registrations.stream(), Stream.of(added)).toList();
    }
    return () -> remove(added);
  }

  private synchronized void remove(Registration<T> removed) {
    registrations = registrations.stream().filter(each -> each != removed).toList();
  }

  public boolean isEmpty() {
    return registrations.isEmpty();
  }

  /// Runs all hooks. If one of them throws, the rest is not run.
  public void call(T subject) {
    List<Registration<T>> current = registrations;
    // By index: an iterator would be garbage at each step.
    for (int i = 0; i < current.size(); i++) {
      current.get(i).hook.accept(subject);
    }
  }
}
