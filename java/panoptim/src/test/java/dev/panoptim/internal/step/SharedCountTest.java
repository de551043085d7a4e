package dev.panoptim.internal.step;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Step counts that several threads or processes advance.
class SharedCountTest {
  private static final List<String> NAMES = List.of(Rule.MOMENTUM_PRODUCT, "weightSum");

  @Test
  void countsThatThreadsAdvanceAtOnceLoseNothing() throws Exception {
    double factor = 1 - 0x1p-20;
    int each = 200_000;
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(SharedCount.BYTES, 8);
      new SharedCount(memory, NAMES).set(0, new double[] {1, 0});
      Thread[] threads = new Thread[3];
      for (int k = 0; k < threads.length; k++) {
        threads[k] =
            Thread.ofPlatform()
                .start(
                    () -> {
                      SharedCount count = new SharedCount(memory, NAMES);
                      double[] before = new double[2];
                      double[] after = new double[2];
                      for (int i = 0; i < each; i++) {
                        count.readScalars(before);
                        after[0] = before[0] * factor;
                        after[1] = i;
                        count.advance(before, after);
                      }
                    });
      }
      for (Thread thread : threads) {
        thread.join();
      }
      SharedCount count = new SharedCount(memory, NAMES);
      assertEquals(3 * each, count.steps());
      // A lost factor would change the result by 1e-6.
      double expected = Math.pow(factor, 3 * each);
      double[] scalars = new double[2];
      count.readScalars(scalars);
      assertEquals(expected, scalars[0], 1e-9 * expected);
      // The last writer's value: each thread ends with the same one.
      assertEquals(each - 1, scalars[1]);
    }
  }
}
