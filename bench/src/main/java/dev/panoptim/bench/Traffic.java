package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/// The native kernel that moves the bytes of a step without its computation: a limit for the time
/// of a step.
final class Traffic {
  private static final MethodHandle MOVE =
      BenchLibrary.find(
          "panoptim_traffic",
          FunctionDescriptor.ofVoid(
              ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT));

  /// The number of states of the kernel with most.
  private static final int MOST_STATES = 4;

  private final MemorySegment data;
  private final MemorySegment gradient;
  private final MemorySegment[] states = new MemorySegment[MOST_STATES];
  private final int threads;

  /// @param states at most four
  /// @throws IllegalArgumentException if there are more
  Traffic(MemorySegment data, MemorySegment gradient, List<MemorySegment> states, int threads) {
    if (states.size() > MOST_STATES) {
      throw new IllegalArgumentException(
          "states are " + states.size() + ", but must be at most " + MOST_STATES);
    }
    this.data = data;
    this.gradient = gradient;
    this.threads = threads;
    for (int i = 0; i < this.states.length; i++) {
      this.states[i] = i < states.size() ? states.get(i) : MemorySegment.NULL;
    }
  }

  /// Reads all operands and writes all but the gradient.
  void move() {
    Downcall.run(
        () -> {
          MOVE.invokeExact(
              data,
              gradient,
              states[0],
              states[1],
              states[2],
              states[3],
              data.byteSize() / Float.BYTES,
              threads);
          return null;
        });
  }
}
