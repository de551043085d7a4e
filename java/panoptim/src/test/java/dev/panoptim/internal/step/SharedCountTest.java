package dev.panoptim.internal.step;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/// Step counts that several threads or processes advance.
class SharedCountTest {
  @Test
  void countsThatThreadsAdvanceAtOnceLoseNothing() throws Exception {
    double factor = 1 - 0x1p-20;
    int each = 200_000;
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(SharedCount.BYTES, 8);
      new SharedCount(memory).set(0, 1);
      Thread[] threads = new Thread[3];
      for (int k = 0; k < threads.length; k++) {
        threads[k] =
            Thread.ofPlatform()
                .start(
                    () -> {
                      SharedCount count = new SharedCount(memory);
                      for (int i = 0; i < each; i++) {
                        double before = count.momentumProduct();
                        count.advance(before, before * factor);
                      }
                    });
      }
      for (Thread thread : threads) {
        thread.join();
      }
      SharedCount count = new SharedCount(memory);
      assertEquals(3 * each, count.steps());
      // A lost factor would change the result by 1e-6.
      double expected = Math.pow(factor, 3 * each);
      assertEquals(expected, count.momentumProduct(), 1e-9 * expected);
    }
  }
}
