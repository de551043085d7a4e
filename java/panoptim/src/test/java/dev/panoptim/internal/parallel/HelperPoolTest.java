package dev.panoptim.internal.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.internal.step.StepPlans;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The pool of helper threads: which helpers get work, when they end, and helpers that fail. The
/// pool has 3 threads for steps of 4 threads.
@Timeout(60)
class HelperPoolTest {
  /// A step offers its work once. A helper that is still busy with other work would get no offer.
  @BeforeEach
  void awaitIdleHelpers() throws InterruptedException {
    PoolMembers.awaitIdle();
  }

  /// Creates work that signals the arrival of a helper and keeps the helper until the end.
  private static HelperPool.Work holding(CountDownLatch joined, CountDownLatch end) {
    return () -> {
      joined.countDown();
      try {
        end.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    };
  }

  @Test
  void helpersJoinRepeatedly() throws Exception {
    for (int round = 0; round < 50; round++) {
      CountDownLatch all = new CountDownLatch(3);
      CountDownLatch end = new CountDownLatch(1);
      HelperPool.Work work = holding(all, end);
      do {
        // Helpers that were busy with the previous round get another offer later.
        HelperPool.offer(3, 3, work, true);
      } while (!all.await(1, TimeUnit.MILLISECONDS));
      end.countDown();
      HelperPool.dismiss(work);
    }
  }

  @Test
  void helpersAreForProcessorsWithoutACaller() {
    HelperPool.Work none = () -> {};
    for (int expected : new int[] {3, 2, 1, 0, 0}) {
      assertEquals(expected, HelperPool.enter());
    }
    for (int i = 0; i < 5; i++) {
      HelperPool.leave(none);
    }
    assertEquals(3, HelperPool.enter());
    HelperPool.leave(none);
  }

  /// A caller with one processor left for helpers offers work to the first helper alone, even if
  /// other helpers are idle.
  @Test
  void aHelperOfAnotherProcessorGetsNoOffer() throws Exception {
    CountDownLatch joined = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    HelperPool.Work busy = holding(joined, end);
    do {
      HelperPool.offer(1, 1, busy, true);
    } while (!joined.await(1, TimeUnit.MILLISECONDS));
    AtomicInteger others = new AtomicInteger();
    HelperPool.Work work = others::incrementAndGet;
    for (int i = 0; i < 50; i++) {
      HelperPool.offer(1, 1, work, true);
      Thread.sleep(1);
    }
    assertEquals(0, others.get());
    end.countDown();
    HelperPool.dismiss(work);
    HelperPool.dismiss(busy);
  }

  @Test
  void smallWorkWakesNoHelper() throws Exception {
    helpersJoinRepeatedly();
    awaitIdleHelpers();
    AtomicInteger joined = new AtomicInteger();
    HelperPool.Work work = joined::incrementAndGet;
    HelperPool.offer(3, 3, work, false);
    Thread.sleep(100);
    assertEquals(0, joined.get());
    HelperPool.dismiss(work);
    Watch watch = Watch.adaptive();
    assertTrue(WorkSplit.wakes(262_144, watch));
    assertTrue(!WorkSplit.wakes(262_143, watch), "the first step cannot predict a second one");
    watch.ends(1_000_000);
    watch.begins(1_000_000 + Watch.SHORT_NANOS - 1);
    assertTrue(WorkSplit.wakes(40_000, watch));
    watch.begins(1_000_000 + Watch.SHORT_NANOS);
    assertTrue(!WorkSplit.wakes(262_143, watch));
  }

  /// A helper that wakes too late for its work does not count as idle and does not end.
  @Test
  void helpersThatWakeTooLateStay() throws Exception {
    helpersJoinRepeatedly();
    Set<Thread> before = Set.copyOf(PoolMembers.all());
    HelperPool.Work work = () -> {};
    long start = System.nanoTime();
    for (int i = 0; System.nanoTime() - start < 1_000_000_000; i++) {
      HelperPool.offer(3, 3, work, true);
      // About the time that a thread takes to wake.
      LockSupport.parkNanos(i % 50 * 1000);
      HelperPool.dismiss(work);
      LockSupport.parkNanos(200_000);
    }
    assertEquals(before, Set.copyOf(PoolMembers.all()));
  }

  @Test
  void threadsEndOnRequestAndStartAgain() throws Exception {
    for (int round = 0; round < 3; round++) {
      helpersJoinRepeatedly();
      List<Thread> before = PoolMembers.all();
      assertEquals(3, before.size());
      Backends.endThreads();
      before.forEach(each -> assertTrue(!each.isAlive(), each + " is still alive"));
      Backends.endThreads();
      assertEquals(List.of(), PoolMembers.all());
    }
  }

  /// The thread ends after its work, and the work is not lost. Other threads take later work.
  @Test
  void aBusyThreadEndsAfterItsWork() throws Exception {
    CountDownLatch joined = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    AtomicInteger done = new AtomicInteger();
    HelperPool.Work held = holding(joined, end);
    HelperPool.Work work =
        () -> {
          held.help();
          done.incrementAndGet();
        };
    do {
      HelperPool.offer(1, 1, work, true);
    } while (!joined.await(1, TimeUnit.MILLISECONDS));
    HelperPool.dismiss(work);
    Thread busy =
        PoolMembers.all().stream()
            .filter(each -> !PoolMembers.isIdle(each))
            .findFirst()
            .orElseThrow();
    Thread.currentThread().interrupt();
    Backends.endThreads();
    assertTrue(Thread.interrupted(), "the interrupt status is kept");
    assertTrue(busy.isAlive());
    end.countDown();
    busy.join(30_000);
    assertTrue(!busy.isAlive());
    assertEquals(1, done.get());
    helpersJoinRepeatedly();
  }

  @Test
  void aFailingHelperLogsAndHelpsAgain() throws Exception {
    Logger logger = Logger.getLogger(HelperPool.class.getName());
    Queue<LogRecord> said = new ConcurrentLinkedQueue<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord message) {
            said.add(message);
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
    try {
      for (int round = 0; round < 10; round++) {
        CountDownLatch failed = new CountDownLatch(1);
        HelperPool.Work bad =
            () -> {
              failed.countDown();
              throw new StackOverflowError("meant to fail");
            };
        do {
          HelperPool.offer(1, 3, bad, true);
        } while (!failed.await(1, TimeUnit.MILLISECONDS));
        HelperPool.dismiss(bad);
      }
      helpersJoinRepeatedly();
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
    }
    assertTrue(said.size() >= 10, said.size() + " messages");
    for (LogRecord each : said) {
      assertEquals("a helper failed; the step goes on without it", each.getMessage());
      assertEquals("meant to fail", each.getThrown().getMessage());
    }
  }

  @Test
  void anInterruptedHelperKeepsSleeping() throws Exception {
    helpersJoinRepeatedly();
    List<Thread> helpers = PoolMembers.all();
    assertTrue(!helpers.isEmpty());
    helpers.forEach(Thread::interrupt);
    Thread.sleep(100);
    long before = nanos(helpers);
    Thread.sleep(400);
    assertTrue(nanos(helpers) - before < 100_000_000, "they used " + (nanos(helpers) - before));
    helpersJoinRepeatedly();
  }

  private static long nanos(List<Thread> threads) {
    return threads.stream()
        .mapToLong(each -> ManagementFactory.getThreadMXBean().getThreadCpuTime(each.threadId()))
        .sum();
  }

  @Test
  void anIllegalNumberOfThreadsIsRejectedFirst() {
    String before = System.getProperty("panoptim.threads");
    try {
      for (String bad : List.of("0", "-1", "1025", "abc", "")) {
        System.setProperty("panoptim.threads", bad);
        var e = assertThrows(IllegalArgumentException.class, ThreadProperties::mostThreads);
        assertEquals(
            "system property panoptim.threads is '" + bad + "', but must be from 1 to 1024",
            e.getMessage());
        try (Arena arena = Arena.ofShared()) {
          assertThrows(IllegalArgumentException.class, () -> StepPlans.ofOneRow(arena, 1));
        }
      }
    } finally {
      System.setProperty("panoptim.threads", before);
    }
  }
}
