package dev.panoptim.internal.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Tier;
import dev.panoptim.internal.bindings.panoptim_plan;
import dev.panoptim.internal.ffm.NativeTable;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The pool of helper threads: who helps, and failing helpers. The pool has 3 threads for steps of
/// 4 threads.
@Timeout(60)
class HelperPoolTest {
  /// Waits until all helpers are idle. A step offers its work only once, and helpers that are still
  /// returning from other work would miss it.
  @BeforeEach
  void membersAreIdle() throws InterruptedException {
    long start = System.nanoTime();
    for (Thread each : members()) {
      while (each.isAlive() && !isParkedInCrew(each)) {
        assertTrue(System.nanoTime() - start < 30_000_000_000L, each + " is still at work");
        Thread.sleep(1);
      }
    }
  }

  private static List<Thread> members() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(each -> each.getName().startsWith("panoptim-"))
        .toList();
  }

  /// Whether a helper waits for work. Inside of work, a helper parks with another blocker.
  private static boolean isParkedInCrew(Thread member) {
    Object blocker = LockSupport.getBlocker(member);
    return blocker != null && blocker.getClass().getEnclosingClass() == HelperPool.class;
  }

  private static StepPlan plan(Arena arena, long elements) {
    return StepPlan.of(
            Rule.builder().build(),
            List.of(
                List.of(
                    new StepPlan.Row(
                        "p",
                        elements,
                        arena.allocate(4 * elements, 4),
                        arena.allocate(4 * elements, 4),
                        List.of(),
                        null,
                        null))),
            false,
            null)
        .getFirst();
  }

  private static void join(CountDownLatch latch) throws InterruptedException {
    assertTrue(latch.await(30, TimeUnit.SECONDS), "nobody came");
  }

  /// Creates work that signals the arrival of a helper and keeps the helper until the end.
  private static HelperPool.Work holding(CountDownLatch came, CountDownLatch end) {
    return () -> {
      came.countDown();
      try {
        end.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    };
  }

  @Test
  void membersComeAndComeAgain() throws Exception {
    for (int round = 0; round < 50; round++) {
      CountDownLatch all = new CountDownLatch(3);
      CountDownLatch end = new CountDownLatch(1);
      HelperPool.Work work = holding(all, end);
      do {
        // Helpers that were busy with the previous round get another offer later.
        HelperPool.invite(3, 3, work, true);
      } while (!all.await(1, TimeUnit.MILLISECONDS));
      end.countDown();
      HelperPool.dismiss(work);
    }
  }

  @Test
  void membersAreForProcessorsThatNobodyCallsFrom() {
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
  void aMemberOfAnotherProcessorIsNotInvited() throws Exception {
    CountDownLatch came = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    HelperPool.Work busy = holding(came, end);
    do {
      HelperPool.invite(1, 1, busy, true);
    } while (!came.await(1, TimeUnit.MILLISECONDS));
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

  /// A step in native code and a step in Java are complete without help.
  @Test
  void stepsOfAsManyCallersAsProcessorsAreWholeWithoutHelp() {
    HelperPool.Work none = () -> {};
    for (int i = 0; i < 4; i++) {
      HelperPool.enter();
    }
    try (Arena arena = Arena.ofShared()) {
      StepPlan plan = plan(arena, 40 * WorkSplit.CHUNK);
      Set<Thread> seen = ConcurrentHashMap.newKeySet();
      AtomicInteger chunks = new AtomicInteger();
      plan.parallelChunks()
          .run(
              4,
              (p, row, start, length) -> {
                seen.add(Thread.currentThread());
                chunks.incrementAndGet();
              });
      assertEquals(Set.of(Thread.currentThread()), seen);
      assertEquals(40, chunks.get());

      plan.rows().getFirst().data().fill((byte) 0x3f);
      plan.rows().getFirst().gradient().fill((byte) 0x3f);
      plan.begin(false);
      plan.nextCoefficients().stepSize = 1;
      plan.coefficients(0).gradientScale = 1;
      plan.assign(0);
      Engine.of(Backends.nativeCode()).step(plan, 4);
      NativeTable.Call call = plan.nativeTable().calls(Tier.BASELINE.ordinal()).getFirst();
      assertEquals(0, panoptim_plan.share(call.plan), "the step was cut up for helpers");
      for (long i = 0; i < plan.elements(); i++) {
        assertEquals(0, plan.rows().getFirst().data().getAtIndex(ValueLayout.JAVA_FLOAT, i));
      }
    } finally {
      for (int i = 0; i < 4; i++) {
        HelperPool.leave(none);
      }
    }
  }

  @Test
  void nobodyIsWokenForSmallWork() throws Exception {
    membersComeAndComeAgain();
    membersAreIdle();
    AtomicInteger came = new AtomicInteger();
    HelperPool.Work work = came::incrementAndGet;
    HelperPool.invite(3, 3, work, false);
    Thread.sleep(100);
    assertEquals(0, came.get());
    HelperPool.dismiss(work);
    Watch watch = Watch.adaptive();
    assertTrue(WorkSplit.wakes(262_144, watch));
    assertTrue(!WorkSplit.wakes(262_143, watch), "the first step cannot know of another");
    watch.ends(1_000_000);
    watch.begins(1_000_000 + Watch.SHORT_NANOS - 1);
    assertTrue(WorkSplit.wakes(40_000, watch));
    watch.begins(1_000_000 + Watch.SHORT_NANOS);
    assertTrue(!WorkSplit.wakes(262_143, watch));
  }

  /// A helper that wakes too late for its work does not count as idle and does not end.
  @Test
  void membersThatComeTooLateStay() throws Exception {
    membersComeAndComeAgain();
    Set<Thread> before = Set.copyOf(members());
    HelperPool.Work work = () -> {};
    long start = System.nanoTime();
    for (int i = 0; System.nanoTime() - start < 1_000_000_000; i++) {
      HelperPool.invite(3, 3, work, true);
      // About the time that a thread takes to wake.
      LockSupport.parkNanos(i % 50 * 1000);
      HelperPool.dismiss(work);
      LockSupport.parkNanos(200_000);
    }
    assertEquals(before, Set.copyOf(members()));
  }

  @Test
  void threadsEndAtOnceAndLaterOnesStart() throws Exception {
    for (int round = 0; round < 3; round++) {
      membersComeAndComeAgain();
      List<Thread> before = members();
      assertEquals(3, before.size());
      Backends.endThreads();
      before.forEach(each -> assertTrue(!each.isAlive(), each + " is still there"));
      Backends.endThreads();
      assertEquals(List.of(), members());
    }
  }

  /// The thread ends after its work, and the work is not lost. Other threads take later work.
  @Test
  void aThreadThatIsAtWorkEndsAfterIt() throws Exception {
    CountDownLatch came = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    AtomicInteger done = new AtomicInteger();
    HelperPool.Work held = holding(came, end);
    HelperPool.Work work =
        () -> {
          held.help();
          done.incrementAndGet();
        };
    do {
      HelperPool.invite(1, 1, work, true);
    } while (!came.await(1, TimeUnit.MILLISECONDS));
    HelperPool.dismiss(work);
    Thread busy =
        members().stream().filter(each -> !isParkedInCrew(each)).findFirst().orElseThrow();
    Thread.currentThread().interrupt();
    Backends.endThreads();
    assertTrue(Thread.interrupted(), "the interrupt was for somebody else");
    assertTrue(busy.isAlive());
    end.countDown();
    busy.join(30_000);
    assertTrue(!busy.isAlive());
    assertEquals(1, done.get());
    membersComeAndComeAgain();
  }

  /// Threads end repeatedly while steps run. All threads end, and all steps are complete.
  @Test
  void stepsAreWholeWhileThreadsEnd() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    Thread ending =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!stop.get()) {
                    Backends.endThreads();
                  }
                });
    try (Arena arena = Arena.ofShared()) {
      StepPlan plan = plan(arena, 40 * WorkSplit.CHUNK);
      plan.rows().getFirst().gradient().fill((byte) 0x3f);
      long start = System.nanoTime();
      for (int step = 1; System.nanoTime() - start < 500_000_000; step++) {
        AtomicInteger chunks = new AtomicInteger();
        plan.parallelChunks().run(4, (p, row, begin, length) -> chunks.incrementAndGet());
        assertEquals(40, chunks.get());
        plan.rows().getFirst().data().fill((byte) 0x3f);
        plan.begin(false);
        plan.nextCoefficients().stepSize = 1;
        plan.coefficients(0).gradientScale = 1;
        plan.assign(0);
        Engine.of(Backends.nativeCode()).step(plan, 4);
        for (long i = 0; i < plan.elements(); i += 1000) {
          assertEquals(0, plan.rows().getFirst().data().getAtIndex(ValueLayout.JAVA_FLOAT, i));
        }
      }
    } finally {
      stop.set(true);
      ending.join();
    }
    membersComeAndComeAgain();
  }

  @Test
  void aMemberThatFailsSaysSoAndComesAgain() throws Exception {
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
      membersComeAndComeAgain();
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
  void anInterruptedMemberSleepsOn() throws Exception {
    membersComeAndComeAgain();
    List<Thread> members = members();
    assertTrue(!members.isEmpty());
    members.forEach(Thread::interrupt);
    Thread.sleep(100);
    long before = nanos(members);
    Thread.sleep(400);
    assertTrue(nanos(members) - before < 100_000_000, "they used " + (nanos(members) - before));
    membersComeAndComeAgain();
  }

  private static long nanos(List<Thread> threads) {
    return threads.stream()
        .mapToLong(each -> ManagementFactory.getThreadMXBean().getThreadCpuTime(each.threadId()))
        .sum();
  }

  @Test
  void severalThreadsUpdateAPlanInJava() {
    try (Arena arena = Arena.ofShared()) {
      StepPlan plan = plan(arena, 40 * WorkSplit.CHUNK);
      Set<Thread> seen = ConcurrentHashMap.newKeySet();
      CountDownLatch two = new CountDownLatch(2);
      AtomicInteger chunks = new AtomicInteger();
      plan.parallelChunks()
          .run(
              2,
              (p, row, start, length) -> {
                if (seen.add(Thread.currentThread())) {
                  two.countDown();
                }
                chunks.incrementAndGet();
                try {
                  join(two);
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      assertEquals(2, seen.size());
      assertEquals(40, chunks.get());
    }
  }

  @Test
  void aFailureOfAHelperIsThatOfTheStepAndOfNoLaterOne() {
    try (Arena arena = Arena.ofShared()) {
      StepPlan plan = plan(arena, 40 * WorkSplit.CHUNK);
      CountDownLatch two = new CountDownLatch(2);
      IllegalStateException meant = new IllegalStateException("meant to fail");
      assertSame(
          meant,
          assertThrows(
              IllegalStateException.class,
              () ->
                  plan.parallelChunks()
                      .run(
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
      AtomicInteger chunks = new AtomicInteger();
      plan.parallelChunks().run(2, (p, row, start, length) -> chunks.incrementAndGet());
      assertEquals(40, chunks.get());
    }
  }

  @Test
  void nativeStepsAreHelped() {
    try (Arena arena = Arena.ofShared()) {
      StepPlan plan = plan(arena, 2_000_000);
      Backend backend = Backends.nativeCode();
      long helped = 0;
      for (int i = 0; i < 2000 && helped == 0; i++) {
        plan.begin(false);
        plan.nextCoefficients();
        plan.assign(0);
        Engine.of(backend).step(plan, 2);
        NativeTable.Call call = plan.nativeTable().calls(Tier.BASELINE.ordinal()).getFirst();
        helped = panoptim_plan.helped(call.plan);
      }
      assertTrue(helped > 0, "no member has taken a share of 2000 steps");
    }
  }

  @Test
  void aNumberOfThreadsThatIsNoneIsRefusedBeforeAnythingIsDone() {
    String before = System.getProperty("panoptim.threads");
    try {
      for (String bad : List.of("0", "-1", "1025", "abc", "")) {
        System.setProperty("panoptim.threads", bad);
        var e = assertThrows(IllegalArgumentException.class, ThreadProperties::mostThreads);
        assertEquals(
            "system property panoptim.threads is '" + bad + "', but must be from 1 to 1024",
            e.getMessage());
        try (Arena arena = Arena.ofShared()) {
          assertThrows(IllegalArgumentException.class, () -> plan(arena, 1));
        }
      }
    } finally {
      System.setProperty("panoptim.threads", before);
    }
  }
}
