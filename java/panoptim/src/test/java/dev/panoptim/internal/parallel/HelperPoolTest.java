package dev.panoptim.internal.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The pool of helper threads: who helps, and failing helpers. The pool has 3 threads for steps of
/// 4 threads.
@Timeout(60)
class HelperPoolTest extends HelperPoolFixture {
  @Test
  void helpersJoinRepeatedly() throws Exception {
    letAllHelpersJoin();
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

  /// No helper joins a second caller if its processor belongs to another caller, even if a helper
  /// is idle.
  @Test
  void aHelperOfAnotherProcessorGetsNoOffer() throws Exception {
    CountDownLatch joined = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    HelperPool.Work busy = holding(joined, end);
    do {
      HelperPool.invite(1, 1, busy, true);
    } while (!joined.await(1, TimeUnit.MILLISECONDS));
    AtomicInteger others = new AtomicInteger();
    HelperPool.Work work = others::incrementAndGet;
    for (int i = 0; i < 50; i++) {
      HelperPool.invite(1, 1, work, true);
      Thread.sleep(1);
    }
    assertEquals(0, others.get());
    end.countDown();
    HelperPool.dismiss(work);
    HelperPool.dismiss(busy);
  }

  @Test
  void smallWorkWakesNoHelper() throws Exception {
    letAllHelpersJoin();
    awaitIdleHelpers();
    AtomicInteger joined = new AtomicInteger();
    HelperPool.Work work = joined::incrementAndGet;
    HelperPool.invite(3, 3, work, false);
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
    letAllHelpersJoin();
    Set<Thread> before = Set.copyOf(helpers());
    HelperPool.Work work = () -> {};
    long start = System.nanoTime();
    for (int i = 0; System.nanoTime() - start < 1_000_000_000; i++) {
      HelperPool.invite(3, 3, work, true);
      // About the time that a thread takes to wake.
      LockSupport.parkNanos(i % 50 * 1000);
      HelperPool.dismiss(work);
      LockSupport.parkNanos(200_000);
    }
    assertEquals(before, Set.copyOf(helpers()));
  }

  @Test
  void threadsEndOnRequestAndStartAgain() throws Exception {
    for (int round = 0; round < 3; round++) {
      letAllHelpersJoin();
      List<Thread> before = helpers();
      assertEquals(3, before.size());
      Backends.endThreads();
      before.forEach(each -> assertTrue(!each.isAlive(), each + " is still alive"));
      Backends.endThreads();
      assertEquals(List.of(), helpers());
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
      HelperPool.invite(1, 1, work, true);
    } while (!joined.await(1, TimeUnit.MILLISECONDS));
    HelperPool.dismiss(work);
    Thread busy = helpers().stream().filter(each -> !isIdle(each)).findFirst().orElseThrow();
    Thread.currentThread().interrupt();
    Backends.endThreads();
    assertTrue(Thread.interrupted(), "the interrupt status is kept");
    assertTrue(busy.isAlive());
    end.countDown();
    busy.join(30_000);
    assertTrue(!busy.isAlive());
    assertEquals(1, done.get());
    letAllHelpersJoin();
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
          HelperPool.invite(1, 3, bad, true);
        } while (!failed.await(1, TimeUnit.MILLISECONDS));
        HelperPool.dismiss(bad);
      }
      letAllHelpersJoin();
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
    letAllHelpersJoin();
    List<Thread> helpers = helpers();
    assertTrue(!helpers.isEmpty());
    helpers.forEach(Thread::interrupt);
    Thread.sleep(100);
    long before = nanos(helpers);
    Thread.sleep(400);
    assertTrue(nanos(helpers) - before < 100_000_000, "they used " + (nanos(helpers) - before));
    letAllHelpersJoin();
  }

  private static long nanos(List<Thread> threads) {
    return threads.stream()
        .mapToLong(each -> ManagementFactory.getThreadMXBean().getThreadCpuTime(each.threadId()))
        .sum();
  }
}
