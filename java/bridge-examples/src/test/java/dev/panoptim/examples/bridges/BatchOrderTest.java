package dev.panoptim.examples.bridges;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BatchOrderTest {
  @Test
  void everyEpochHasEachBatchOnceInAnotherOrder() {
    BatchOrder order = new BatchOrder(20, new SplittableRandom(1));
    List<Integer> all = IntStream.range(0, 20).boxed().toList();
    List<Integer> first = IntStream.range(0, 20).mapToObj(_ -> order.next()).toList();
    List<Integer> second = IntStream.range(0, 20).mapToObj(_ -> order.next()).toList();
    assertEquals(all, first.stream().sorted().toList());
    assertEquals(all, second.stream().sorted().toList());
    assertNotEquals(first, second);
  }
}
