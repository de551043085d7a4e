package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Compares the parameters of a training with those of a peer's training.
final class Agreement {
  /// Relative to the distance that an element has moved; and absolute, for rounding to a float.
  private static final double TOLERANCE = 1e-3;

  private static final double ROUNDINGS = 1e-6;

  private Agreement() {}

  /// @throws IllegalStateException if an element has not moved, or differs from the peer's
  static void require(Training training, TensorSizes sizes, PeerProcess peer) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Parameters start = Training.start(sizes)) {
      MemorySegment theirs = peer.data(arena);
      long at = 0;
      for (Parameter ours : training.all()) {
        MemorySegment begin = start.get(ours.name()).data();
        for (long i = 0; i < sizes.elements(); i++, at++) {
          float a = ours.data().getAtIndex(JAVA_FLOAT, i);
          float b = theirs.getAtIndex(JAVA_FLOAT, at);
          double way = Math.abs(b - begin.getAtIndex(JAVA_FLOAT, i));
          if (!(way > 0 && Math.abs(a - b) <= TOLERANCE * way + ROUNDINGS)) {
            throw new IllegalStateException(
                "%s: element %s of %s is %s here, but %s in %s"
                    .formatted(training.optimizer.rule(), i, ours.name(), a, b, peer.version()));
          }
        }
      }
    }
  }
}
