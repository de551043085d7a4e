package dev.panoptim.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Bytes of the Java heap that the measured work allocates. JMH reports them as `heapBytes`.
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.EVENTS)
public class HeapBytes {
  public double heapBytes;

  @Setup(Level.Iteration)
  public void reset() {
    heapBytes = 0;
  }
}
