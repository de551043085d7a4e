package dev.panoptim.internal.ffm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Threading;
import dev.panoptim.backend.Tier;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Steps by a team of OpenMP threads: the owner of the team, and callers without it. The tests
/// allow 4 threads per step.
@Timeout(120)
class OpenMpTest {
  private static final long ELEMENTS = 5 * WorkSplit.CHUNK + 7;

  /// A test that ran before on this thread may own the team already.
  @BeforeEach
  void thereIsNoTeam() {
    assumeTrue(
        Threading.OPENMP.unavailableReason().isEmpty(),
        () -> Threading.OPENMP.unavailableReason().orElseThrow());
    Backends.endThreads();
  }

  private static Backend backend() {
    return Backends.nativeCode().with(Threading.OPENMP);
  }

  /// The bits after some steps, each of which also computes the norm of the gradients.
  private static int[] bits(Backend backend, int threads) {
    try (Parameters parameters = Parameters.builder().add("p", ELEMENTS).add("q", 33).build();
        Optimizer optimizer =
            AdamW.builder(parameters)
                .backend(backend)
                .threads(threads)
                .options(o -> o.clipGradNorm(1))
                .build()) {
      SplittableRandom random = new SplittableRandom(1);
      for (int step = 0; step < 3; step++) {
        parameters.forEach(each -> fill(each.gradient(), random));
        optimizer.step();
      }
      return parameters.get("p").data().toArray(ValueLayout.JAVA_INT);
    }
  }

  private static void fill(MemorySegment segment, SplittableRandom random) {
    for (long i = 0; i < segment.byteSize() / Float.BYTES; i++) {
      segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
    }
  }

  /// Runs an action on a new thread and waits for its result.
  private static <T> T on(ThreadFactory threads, Callable<T> action) throws Exception {
    FutureTask<T> task = new FutureTask<>(action);
    Thread thread = threads.newThread(task);
    thread.start();
    thread.join();
    return task.get();
  }

  /// The number of system threads that have the name of the Java thread that started them.
  private static int threadsNamed(String name) throws IOException {
    int count = 0;
    try (var tasks = Files.list(Path.of("/proc/self/task"))) {
      for (Path each : tasks.toList()) {
        try {
          count += Files.readString(each.resolve("comm")).strip().equals(name) ? 1 : 0;
        } catch (IOException ended) {
          // The thread ended between the listing and the reading.
        }
      }
    }
    return count;
  }

  private static void assertThreadsNamed(int expected, String name) throws Exception {
    long start = System.nanoTime();
    while (threadsNamed(name) != expected && System.nanoTime() - start < 30_000_000_000L) {
      Thread.sleep(1);
    }
    assertEquals(expected, threadsNamed(name));
  }

  @Test
  void threadingBelongsToBackendAndOptimizer() {
    Backend pool = Backends.nativeCode();
    assertEquals(Threading.POOL, pool.threading());
    assertSame(pool, pool.with(Threading.POOL));
    Backend team = pool.with(Threading.OPENMP);
    assertNotSame(pool, team);
    assertSame(team, team.with(Threading.OPENMP));
    assertEquals(Threading.OPENMP, team.threading());
    assertEquals(Threading.POOL, team.with(Threading.POOL).threading());
    assertTrue(team.describe().contains("; threads by OpenMP from the packaged "), team.describe());
    for (Backend each : List.of(Backends.scalar(), Backends.vector())) {
      assertSame(each, each.with(Threading.OPENMP));
      assertEquals(Threading.POOL, each.threading());
    }
    Backend offload = Backends.offload(DeviceStream.defaultOf(Device.cuda(0)), pool);
    assertSame(offload, offload.with(Threading.POOL));
    assertEquals(Threading.OPENMP, offload.with(Threading.OPENMP).threading());
    assertSame(Backends.cuda(0).threading(), Threading.POOL);
    try (Parameters parameters = Parameters.builder().add("p", 3).build()) {
      for (Threading each : Threading.values()) {
        try (Optimizer optimizer =
            AdamW.builder(parameters).backend(pool).threading(each).build()) {
          assertEquals(each, optimizer.threading());
        }
      }
      try (Optimizer optimizer = AdamW.builder(parameters).backend(team).build()) {
        assertEquals(Threading.OPENMP, optimizer.threading());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 7})
  void stepsAndNormsHaveTheBitsOfOneThread(int threads) {
    int[] expected = bits(Backends.scalar(), 1);
    for (Tier tier : Backends.tiers()) {
      Backend backend = Backends.nativeCode(tier).with(Threading.OPENMP);
      assertArrayEquals(expected, bits(backend, threads), tier.label());
    }
    assertEquals(threads > 1, OpenMp.hasTeam());
  }

  /// The team has as many threads as the largest step has requested, until its owner ends.
  @Test
  void theTeamGrowsAndEndsWithItsThread() throws Exception {
    String name = "omp-owner";
    on(
        Thread.ofPlatform().name(name).factory(),
        () -> {
          for (int threads : new int[] {2, 4, 2, 3, 9}) {
            bits(backend(), threads);
            assertTrue(OpenMp.hasTeam());
            assertEquals(threads == 2 && threadsNamed(name) == 2 ? 2 : 4, threadsNamed(name));
          }
          return null;
        });
    assertThreadsNamed(0, name);
    assertTrue(!OpenMp.hasTeam());
  }

  @Test
  void theTeamEndsOnRequestOfItsThread() throws Exception {
    String name = "omp-ends";
    int[] expected = bits(Backends.scalar(), 1);
    on(
        Thread.ofPlatform().name(name).factory(),
        () -> {
          for (int i = 0; i < 3; i++) {
            assertArrayEquals(expected, bits(backend(), 4));
            assertThreadsNamed(4, name);
            Backends.endThreads();
            assertTrue(!OpenMp.hasTeam());
            assertThreadsNamed(1, name);
          }
          return null;
        });
  }

  /// As long as the owner of the team lives, other callers use the pool.
  @Test
  void thereIsOneTeam() throws Exception {
    CountDownLatch has = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Thread owner =
        Thread.ofPlatform()
            .start(
                () -> {
                  bits(backend(), 4);
                  has.countDown();
                  try {
                    end.await();
                  } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                });
    has.await();
    int[] expected = bits(Backends.scalar(), 1);
    String name = "omp-other";
    ThreadFactory others = Thread.ofPlatform().name(name).factory();
    Callable<Boolean> stepping =
        () -> {
          assertArrayEquals(expected, bits(backend(), 4));
          assertEquals(OpenMp.hasTeam() ? 4 : 1, threadsNamed(name));
          return OpenMp.hasTeam();
        };
    assertEquals(false, on(others, stepping));
    Backends.endThreads();
    assertEquals(false, on(others, stepping), "the team was another thread's");
    end.countDown();
    owner.join();
    assertEquals(true, on(others, stepping));
  }

  @Test
  void virtualThreadsUseThePool() throws Exception {
    int[] expected = bits(Backends.scalar(), 1);
    assertEquals(
        false,
        on(
            Thread.ofVirtual().factory(),
            () -> {
              assertArrayEquals(expected, bits(backend(), 4));
              return OpenMp.hasTeam();
            }));
  }

  @Test
  void manyCallersAtOnceReachTheBitsOfOne() throws Exception {
    int[] expected = bits(Backends.scalar(), 1);
    List<FutureTask<int[]>> running = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      FutureTask<int[]> task = new FutureTask<>(() -> bits(backend(), 2 + running.size() % 3));
      running.add(task);
      (i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual()).start(task);
    }
    for (FutureTask<int[]> each : running) {
      assertArrayEquals(expected, each.get());
    }
  }

  /// Closing the arena during a step of the team must not free the memory.
  @Test
  void memoryIsNotFreedDuringAStep() throws Exception {
    for (int round = 0; round < 5; round++) {
      Arena arena = Arena.ofShared();
      Parameter parameter =
          Parameter.of("p", 1 << 18, arena.allocate(4 << 18, 64), arena.allocate(4 << 18, 64));
      try (Optimizer optimizer =
          AdamW.builder(List.of(parameter)).backend(backend()).threads(4).build()) {
        optimizer.step();
        assertTrue(OpenMp.hasTeam());
        Thread closing =
            Thread.ofPlatform()
                .start(
                    () -> {
                      boolean closed = false;
                      while (!closed) {
                        try {
                          arena.close();
                          closed = true;
                        } catch (IllegalStateException inUse) {
                          Thread.onSpinWait();
                        }
                      }
                    });
        String freed = null;
        while (freed == null) {
          try {
            optimizer.step();
          } catch (IllegalStateException gone) {
            freed = gone.getMessage();
          }
        }
        assertTrue(freed.contains("losed"), freed);
        closing.join();
      }
    }
    // The caller that threw has released the team.
    bits(backend(), 4);
    assertTrue(OpenMp.hasTeam());
  }

  @Test
  void labelsAreThoseOfTheProperty() {
    assertEquals("pool", Threading.POOL.label());
    assertEquals("openmp", Threading.OPENMP.label());
    assertTrue(Threading.POOL.unavailableReason().isEmpty());
  }
}
