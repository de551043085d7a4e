package dev.panoptim.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// The times of a step and of what it is compared with, done in turn, as results of their own.
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.EVENTS)
public class Pair {
  public long stepNanos;
  public long otherNanos;

  @Setup(Level.Iteration)
  public void reset() {
    stepNanos = 0;
    otherNanos = 0;
  }
}
