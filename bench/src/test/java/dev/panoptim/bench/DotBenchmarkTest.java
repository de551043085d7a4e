package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The benchmark of the dot product times correct computations.
class DotBenchmarkTest {
  @ParameterizedTest
  @ValueSource(strings = {"native", "vector", "scalar"})
  void theDotProductIsOfAllElements(String backend) {
    for (int threads = 1; threads <= 2; threads++) {
      DotBenchmark benchmark = new DotBenchmark();
      benchmark.backend = backend;
      benchmark.elements = 100_001;
      benchmark.threads = threads;
      benchmark.setUp();
      try {
        long expected = 0;
        for (int i = 0; i < benchmark.elements; i++) {
          expected += (1 + i % 3) * (2 - i % 5);
        }
        assertEquals(expected, benchmark.dot());
        Pair pair = new Pair();
        assertEquals((double) expected + benchmark.traffic().read(), benchmark.pair(pair));
        assertTrue(pair.stepNanos > 0 && pair.otherNanos > 0);
      } finally {
        benchmark.tearDown();
      }
    }
  }

  @Test
  void theOtherKernelReadsEveryElement() {
    Random random = new Random(4);
    for (int size : new int[] {0, 1, 7, 1000, 100_003}) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment x = arena.allocate(4L * size, 64);
        MemorySegment y = arena.allocate(4L * size, 64);
        int expected = 0;
        for (int i = 0; i < size; i++) {
          x.setAtIndex(JAVA_INT, i, random.nextInt());
          y.setAtIndex(JAVA_INT, i, random.nextInt());
          expected ^= x.getAtIndex(JAVA_INT, i) ^ y.getAtIndex(JAVA_INT, i);
        }
        for (int threads = 1; threads <= 3; threads++) {
          assertEquals(expected, new ReadTraffic(x, y, threads).read());
        }
      }
    }
  }
}
