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
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Steps with helpers are complete, whoever helps or fails.
@Timeout(60)
class HelperPoolStepsTest extends HelperPoolFixture {
  /// A step in native code and a step in Java are complete without help.
  @Test
  void stepsOfOneCallerPerProcessorAreWholeWithoutHelpers() {
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
      assertEquals(0, panoptim_plan.share(call.plan), "the step was divided among helpers");
      for (long i = 0; i < plan.elements(); i++) {
        assertEquals(0, plan.rows().getFirst().data().getAtIndex(ValueLayout.JAVA_FLOAT, i));
      }
    } finally {
      for (int i = 0; i < 4; i++) {
        HelperPool.leave(none);
      }
    }
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
    letAllHelpersJoin();
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
  void aFailureOfAHelperFailsOnlyItsStep() {
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
      assertTrue(helped > 0, "no helper took a share in 2000 steps");
    }
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
          assertThrows(IllegalArgumentException.class, () -> plan(arena, 1));
        }
      }
    } finally {
      System.setProperty("panoptim.threads", before);
    }
  }
}
