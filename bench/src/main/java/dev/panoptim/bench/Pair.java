package dev.panoptim.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// The nanoseconds of a step and of the action with which it is compared, which run in turn.
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
  /// @return nanoseconds per step
  static double time(int steps, Runnable step) {
    long start = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      step.run();
    }
    return (double) (System.nanoTime() - start) / steps;
  }
}
