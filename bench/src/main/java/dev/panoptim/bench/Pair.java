package dev.panoptim.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// The times of a step and of what it is compared with, done in turn, as results of their own: the
/// nanoseconds of one each.
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.EVENTS)
public class Pair {
  public double stepNanos;
  public double otherNanos;

  @Setup(Level.Iteration)
  public void reset() {
    stepNanos = 0;
    otherNanos = 0;
  }

  /// Makes and times steps.
  ///
  /// @return the nanoseconds of one
  static double time(int steps, Runnable step) {
    long start = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      step.run();
    }
    return (double) (System.nanoTime() - start) / steps;
  }
}
