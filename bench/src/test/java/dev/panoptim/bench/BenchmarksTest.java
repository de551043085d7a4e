package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/// What the benchmarks time is right.
class BenchmarksTest {
  private static int[] bitsAfterSteps(String backend, int threads) {
    try (Training training = new Training(40_000, backend, threads)) {
      for (int i = 0; i < 5; i++) {
        training.optimizer.step();
      }
      return training.parameter.data().toArray(JAVA_INT);
    }
  }

  @Test
  void everyBackendIsTimedOnTheSameWork() {
    int[] expected = bitsAfterSteps("scalar", 1);
    for (String backend : new String[] {"native", "vector", "scalar"}) {
      assertArrayEquals(expected, bitsAfterSteps(backend, 1), backend);
      assertArrayEquals(expected, bitsAfterSteps(backend, 2), backend);
    }
  }

  @Test
  void theLimitMovesEveryElementAndNothingElse() {
    for (int size : new int[] {0, 1, 7, 1000, 100_003}) {
      for (int threads = 1; threads <= 2; threads++) {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment[] streams = new MemorySegment[4];
          for (int k = 0; k < 4; k++) {
            streams[k] = arena.allocate(4L * size + 8, 64);
            for (int i = 0; i < size + 2; i++) {
              streams[k].setAtIndex(JAVA_FLOAT, i, k + 1);
            }
          }
          Traffic.move(
              streams[0].asSlice(4, 4L * size),
              streams[1].asSlice(4, 4L * size),
              streams[2].asSlice(4, 4L * size),
              streams[3].asSlice(4, 4L * size),
              threads);
          float[] moved = {-1, 2, 5, -4};
          for (int k = 0; k < 4; k++) {
            assertEquals(k + 1, streams[k].getAtIndex(JAVA_FLOAT, 0));
            for (int i = 1; i <= size; i++) {
              assertEquals(moved[k], streams[k].getAtIndex(JAVA_FLOAT, i));
            }
            assertEquals(k + 1, streams[k].getAtIndex(JAVA_FLOAT, size + 1));
          }
        }
      }
    }
  }
}
