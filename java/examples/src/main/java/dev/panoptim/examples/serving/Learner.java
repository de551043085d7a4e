package dev.panoptim.examples.serving;

import dev.panoptim.memory.Parameter;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/// A thread that learns at a given rate, from examples that arrive at random times.
///
/// Thread-safe.
final class Learner implements AutoCloseable {
  /// The longest time to wait for a running step at the end.
  static final Duration LONGEST_STEP = Duration.ofSeconds(30);

  private static final double NANOS = 1e9;

  private final Ensemble model;
  private final Parameter weights;
  private final ModelAccess access;

  /// The mean time between two steps; 0 for steps back to back.
  private final double meanNanos;

  private final SplittableRandom random;
  private final Thread thread = Thread.ofPlatform().name("learner").unstarted(this::learn);
  private volatile boolean stopped;
  private volatile long steps;
  private volatile long busyNanos;
  private volatile Throwable failure;

  /// @param stepsPerSecond 0 for steps back to back
  Learner(Ensemble model, Parameter weights, ModelAccess access, double stepsPerSecond, long seed) {
    this.model = model;
    this.weights = weights;
    this.access = access;
    meanNanos = stepsPerSecond == 0 ? 0 : NANOS / stepsPerSecond;
    random = new SplittableRandom(seed);
  }

  void start() {
    thread.start();
  }

  /// Learns from one example, on the calling thread.
  void learnOnce() {
    double x = random.nextDouble(-1, 1);
    model.computeGradients(weights, x, target(x));
    access.step();
  }

  /// The function to learn.
  static double target(double x) {
    return Math.sin(3 * x);
  }

  private void learn() {
    try {
      long due = System.nanoTime();
      while (!stopped) {
        long start = System.nanoTime();
        learnOnce();
        long end = System.nanoTime();
        busyNanos += end - start;
        steps++;
        // Random pauses, because equal ones would keep a fixed phase to requests at a fixed rate. A
        // delay is not followed by a burst of steps.
        due = Math.max(due + Math.round(meanNanos * random.nextDouble(0.5, 1.5)), end);
        sleepUntil(due);
      }
    } catch (Throwable e) {
      failure = e;
    }
  }

  private void sleepUntil(long due) {
    for (long left = due - System.nanoTime(); left > 0 && !stopped; ) {
      LockSupport.parkNanos(left);
      left = due - System.nanoTime();
    }
  }

  /// The number of steps made by the thread.
  long steps() {
    return steps;
  }

  /// The time spent by the thread in gradients, steps and waits for locks.
  long busyNanos() {
    return busyNanos;
  }

  /// Asks the thread to end and waits for its last step. Does nothing if already closed.
  ///
  /// @throws IllegalStateException if the learner has failed or does not end within
  ///   [#LONGEST_STEP], or if the calling thread is interrupted
  @Override
  public void close() {
    stopped = true;
    LockSupport.unpark(thread);
    try {
      if (thread.isAlive() && !thread.join(LONGEST_STEP)) {
        throw new IllegalStateException(
            "the learner has not ended within " + LONGEST_STEP.toSeconds() + " s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for the learner's end", e);
    }
    if (failure != null) {
      throw new IllegalStateException("the learner has failed", failure);
    }
  }
}
