package dev.panoptim.internal.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.internal.parallel.PoolMembers;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.StepPlans;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Several threads update the chunks of a step in Java. The tests allow 4 threads per step.
@Timeout(60)
class ParallelChunksTest {
  @BeforeEach
  void helpersAreIdle() throws InterruptedException {
    PoolMembers.awaitIdle();
  }

  private static ParallelChunks chunks(Arena arena) {
    return new ParallelChunks(
        ScalarBackend.INSTANCE, StepPlans.ofOneRow(arena, 40 * WorkSplit.CHUNK));
  }

  private static void join(CountDownLatch latch) throws InterruptedException {
    assertTrue(latch.await(30, TimeUnit.SECONDS), "no helper joined");
  }

  @Test
  void severalThreadsUpdateAPlanInJava() {
    try (Arena arena = Arena.ofShared()) {
      ParallelChunks chunks = chunks(arena);
      Set<Thread> seen = ConcurrentHashMap.newKeySet();
      CountDownLatch two = new CountDownLatch(2);
      AtomicInteger updated = new AtomicInteger();
      chunks.run(
          2,
          (p, row, start, length) -> {
            if (seen.add(Thread.currentThread())) {
              two.countDown();
            }
            updated.incrementAndGet();
            try {
              join(two);
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          });
      assertEquals(2, seen.size());
      assertEquals(40, updated.get());
    }
  }

  @Test
  void aFailureOfAHelperFailsOnlyItsStep() {
    try (Arena arena = Arena.ofShared()) {
      ParallelChunks chunks = chunks(arena);
      CountDownLatch two = new CountDownLatch(2);
      IllegalStateException meant = new IllegalStateException("meant to fail");
      assertSame(
          meant,
          assertThrows(
              IllegalStateException.class,
              () ->
                  chunks.run(
                      2,
                      (p, row, start, length) -> {
                        two.countDown();
                        try {
                          join(two);
                        } catch (InterruptedException e) {
                          throw new IllegalStateException(e);
                        }
                        throw meant;
                      })));
      AtomicInteger updated = new AtomicInteger();
      chunks.run(2, (p, row, start, length) -> updated.incrementAndGet());
      assertEquals(40, updated.get());
    }
  }

  @Test
  void asManyCallersAsProcessorsGetNoHelp() {
    try (Arena arena = Arena.ofShared()) {
      ParallelChunks chunks = chunks(arena);
      Set<Thread> seen = ConcurrentHashMap.newKeySet();
      AtomicInteger updated = new AtomicInteger();
      PoolMembers.withoutHelp(
          () ->
              chunks.run(
                  4,
                  (p, row, start, length) -> {
                    seen.add(Thread.currentThread());
                    updated.incrementAndGet();
                  }));
      assertEquals(Set.of(Thread.currentThread()), seen);
      assertEquals(40, updated.get());
    }
  }

  @Test
  void allChunksAreUpdatedWhileThreadsEnd() throws Exception {
    try (Arena arena = Arena.ofShared()) {
      ParallelChunks chunks = chunks(arena);
      PoolMembers.endWhile(
          Duration.ofMillis(250),
          () -> {
            AtomicInteger updated = new AtomicInteger();
            chunks.run(4, (p, row, begin, length) -> updated.incrementAndGet());
            assertEquals(40, updated.get());
          });
    }
  }
}
