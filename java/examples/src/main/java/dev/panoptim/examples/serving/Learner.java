package dev.panoptim.examples.serving;

import dev.panoptim.memory.Parameter;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/// A thread that learns at a given pace, from examples that arrive at random moments.
///
/// Thread-safe.
final class Learner implements AutoCloseable {
  /// How long a step may take that is being made when the learner is to end.
  static final Duration LONGEST_STEP = Duration.ofSeconds(30);

  private static final double NANOS = 1e9;

  private final Ensemble model;
  private final Parameter weights;
  private final ModelAccess access;

  /// Between two steps; 0 for steps back to back.
  private final double meanNanos;

  private final SplittableRandom random;
  private final Thread thread = Thread.ofPlatform().name("learner").unstarted(this::learn);
  private volatile boolean stopped;
  private volatile long steps;
  private volatile long busyNanos;
  private volatile Throwable failure;

  /// @param stepsPerSecond 0 for as many as possible
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

  /// What the model is to learn.
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
        // Random pauses: even ones would keep a fixed phase to requests at a fixed rate. Steps that
        // are late are not made up for in a burst.
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

  /// Steps that the thread has made.
  long steps() {
    return steps;
  }

  /// The time that the thread has spent with gradients, steps and waiting for locks.
  long busyNanos() {
    return busyNanos;
  }

  /// Has the thread end, and waits until it has made its last step. Does nothing when that has been
  /// done.
  ///
  /// @throws IllegalStateException if the thread has failed, does not end in time, or the calling
  ///   one is interrupted
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
      throw new IllegalStateException("interrupted while the learner was to end", e);
    }
    if (failure != null) {
      throw new IllegalStateException("the learner has failed", failure);
    }
  }
}
