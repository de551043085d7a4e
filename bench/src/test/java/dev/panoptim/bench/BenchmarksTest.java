package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the benchmarks time is right.
class BenchmarksTest {
  private static int[] bitsAfterSteps(Contender contender, String backend, int threads) {
    try (Training training = new Training(contender, 40_000, backend, threads)) {
      for (int i = 0; i < 5; i++) {
        training.optimizer.step();
      }
      return training.parameter.data().toArray(JAVA_INT);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyBackendIsTimedOnTheSameWork(Contender contender) {
    int[] expected = bitsAfterSteps(contender, "scalar", 1);
    for (String backend : new String[] {"native", "vector", "scalar"}) {
      assertArrayEquals(expected, bitsAfterSteps(contender, backend, 1), backend);
      assertArrayEquals(expected, bitsAfterSteps(contender, backend, 2), backend);
    }
  }

  /// Streams 0 and 1 are data and gradient, the others states.
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5})
  void theLimitMovesEveryElementAndNothingElse(int count) {
    for (int size : new int[] {0, 1, 7, 1000, 100_003}) {
      for (int threads = 1; threads <= 2; threads++) {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment[] streams = new MemorySegment[count];
          List<MemorySegment> middles = new ArrayList<>();
          for (int k = 0; k < count; k++) {
            streams[k] = arena.allocate(4L * size + 8, 64);
            for (int i = 0; i < size + 2; i++) {
              streams[k].setAtIndex(JAVA_FLOAT, i, 3 * k + 1);
            }
            middles.add(streams[k].asSlice(4, 4L * size));
          }
          new Traffic(middles.get(0), middles.get(1), middles.subList(2, count), threads).move();
          for (int k = 0; k < count; k++) {
            float moved = k == 0 ? 4 - 1 : k == 1 ? 4 : -(3 * k + 1);
            assertEquals(3 * k + 1, streams[k].getAtIndex(JAVA_FLOAT, 0));
            for (int i = 1; i <= size; i++) {
              assertEquals(moved, streams[k].getAtIndex(JAVA_FLOAT, i));
            }
            assertEquals(3 * k + 1, streams[k].getAtIndex(JAVA_FLOAT, size + 1));
          }
        }
      }
    }
  }

  /// The setting up compares the results.
  @Test
  void theFusedStepIsComparedWithPassesOfTheSame() throws Exception {
    EpilogueBenchmark benchmark = new EpilogueBenchmark();
    benchmark.against = "passes";
    benchmark.elements = 50_000;
    benchmark.threads = 2;
    benchmark.setUp();
    Pair pair = new Pair();
    benchmark.pair(pair);
    assertTrue(pair.stepNanos > 0 && pair.otherNanos > 0);
    benchmark.tearDown();
  }
}
