package dev.panoptim.server.simulation;

import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/// A thread that does something again and again, at a rate, while its plan says so.
///
/// Thread-safe.
///
/// @param <P> the plan, which any thread may replace
public final class Simulation<P extends Simulation.Plan> implements AutoCloseable {
  private static final double NANOS = 1e9;

  /// What the thread does.
  public interface Plan {
    boolean running();

    /// How often in a second, 1 or more.
    int rate();

    /// @throws IllegalArgumentException if the rate is not from 1 to the highest one
    static void requireRate(int rate, int highest) {
      if (rate < 1 || rate > highest) {
        throw new IllegalArgumentException(
            "rate is %s, but must be from 1 to %s".formatted(rate, highest));
      }
    }
  }

  private final Predicate<P> action;
  private final Thread thread;
  private volatile P plan;
  private volatile boolean closed;
  private volatile Throwable failure;

  /// @param name of the thread
  /// @param action gets the plan; returns `false` to end the thread
  public Simulation(String name, P plan, Predicate<P> action) {
    this.plan = plan;
    this.action = action;
    thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
  }

  /// To be called once, when all that the action needs is there.
  public void start() {
    thread.start();
  }

  public P plan() {
    return plan;
  }

  public void plan(P value) {
    plan = value;
    LockSupport.unpark(thread);
  }

  private void run() {
    long due = System.nanoTime();
    try {
      while (!closed) {
        P now = plan;
        if (!now.running()) {
          LockSupport.park();
          due = System.nanoTime();
          continue;
        }
        if (!action.test(now)) {
          return;
        }
        due = Math.max(due + Math.round(NANOS / now.rate()), System.nanoTime() - (long) NANOS);
        LockSupport.parkNanos(due - System.nanoTime());
      }
    } catch (RuntimeException | Error e) {
      failure = e;
      throw e;
    }
  }

  /// Whether the action has not failed, and this has not been closed.
  public boolean isAlive() {
    return failure == null && !closed;
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
