package dev.panoptim.metrics;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.GpuTests;
import dev.panoptim.device.Device;
import dev.panoptim.internal.observe.Publications;
import dev.panoptim.internal.observe.Savings;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// The counts of [Metrics].
class MetricsTest {
  private static final String NAN = "p";

  private static Parameters parameters(long size) {
    return Parameters.builder().add(NAN, size).build();
  }

  @Test
  void stepsAndTheirTimeAreCountedAlsoOfClosedOptimizers() {
    for (long size : new long[] {0, 16, 100_000}) {
      MetricsSnapshot before = Metrics.snapshot();
      long begin = System.nanoTime();
      try (Parameters parameters = parameters(size);
          Optimizer optimizer = AdamW.builder(parameters).build()) {
        for (int i = 0; i < 200; i++) {
          optimizer.step();
        }
        assertEquals(before.steps() + 200, Metrics.snapshot().steps());
        assertEquals(before.openOptimizers() + 1, Metrics.snapshot().openOptimizers());
      }
      long wall = System.nanoTime() - begin;
      MetricsSnapshot after = Metrics.snapshot();
      assertEquals(before.steps() + 200, after.steps());
      assertEquals(before.skippedSteps(), after.skippedSteps());
      assertEquals(before.openOptimizers(), after.openOptimizers());
      assertEquals(before.openedOptimizers() + 1, after.openedOptimizers());
      long time = after.timeInSteps().minus(before.timeInSteps()).toNanos();
      assertTrue(time > 0, time + " ns");
      // If every step is timed, the steps cannot take longer than the whole loop.
      assertTrue(size < 16 * 1024 || time <= wall, time + " ns of " + wall);
    }
  }

  @Test
  void failedStepsAndFailedBuildsAreNotCounted() {
    MetricsSnapshot before = Metrics.snapshot();
    Arena arena = Arena.ofShared();
    Parameter dead = Parameter.of("dead", 4, arena.allocate(16, 16), arena.allocate(16, 16));
    try (Optimizer optimizer = Sgd.builder(List.of(dead)).build()) {
      optimizer.step();
      arena.close();
      assertThrows(IllegalStateException.class, optimizer::step);
      assertEquals(before.steps() + 1, Metrics.snapshot().steps());
    }
    assertThrows(IllegalArgumentException.class, () -> Sgd.builder(List.of()).build());
    assertEquals(before.openOptimizers(), Metrics.snapshot().openOptimizers());
    assertEquals(before.openedOptimizers() + 1, Metrics.snapshot().openedOptimizers());
  }

  @Test
  void skippedStepsAreCounted() {
    MetricsSnapshot before = Metrics.snapshot();
    try (Parameters parameters = parameters(3);
        Optimizer optimizer =
            AdamW.builder(parameters).options(o -> o.skipNonFinite(true)).build()) {
      optimizer.step();
      parameters.get(NAN).gradient().setAtIndex(JAVA_FLOAT, 1, Float.NaN);
      optimizer.step();
      optimizer.step();
      MetricsSnapshot after = Metrics.snapshot();
      assertEquals(before.steps() + 3, after.steps());
      assertEquals(before.skippedSteps() + 2, after.skippedSteps());
    }
  }

  @Test
  void skippedStepsOfAGpuAreCountedWhenTheHostKnowsThem() {
    GpuTests.need(1);
    MetricsSnapshot before = Metrics.snapshot();
    Device gpu = Device.cuda(0);
    try (Parameters parameters = Parameters.builder().device(gpu).add(NAN, 3).build();
        Optimizer optimizer =
            AdamW.builder(parameters).options(o -> o.skipNonFinite(true)).build()) {
      assertTrue(Metrics.snapshot().memory().onDevices() > before.memory().onDevices());
      optimizer.step();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment bad = arena.allocate(12, 4);
        bad.setAtIndex(JAVA_FLOAT, 2, Float.POSITIVE_INFINITY);
        parameters.get(NAN).copyGradientFrom(bad);
      }
      optimizer.step();
      optimizer.step();
      optimizer.await();
      assertEquals(before.skippedSteps() + 2, Metrics.snapshot().skippedSteps());
      assertEquals(1, optimizer.stepCount(parameters.get(NAN)));
      optimizer.step();
    }
    MetricsSnapshot after = Metrics.snapshot();
    assertEquals(before.skippedSteps() + 3, after.skippedSteps());
    assertEquals(before.steps() + 4, after.steps());
    assertEquals(before.memory().onDevices(), after.memory().onDevices());
  }

  /// Each optimizer has its own counts, so that no step is lost between threads.
  @Test
  void nothingIsLostBetweenThreads() throws InterruptedException {
    MetricsSnapshot before = Metrics.snapshot();
    int steps = 5000;
    AtomicInteger running = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      running.incrementAndGet();
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (Parameters parameters = parameters(16);
                        Optimizer optimizer = Sgd.builder(parameters).threads(1).build()) {
                      for (int k = 0; k < steps; k++) {
                        optimizer.step();
                      }
                    } finally {
                      running.decrementAndGet();
                    }
                  }));
    }
    long last = before.steps();
    while (running.get() > 0) {
      long now = Metrics.snapshot().steps();
      assertTrue(now >= last, now + " after " + last);
      last = now;
    }
    for (Thread each : threads) {
      each.join();
    }
    assertEquals(before.steps() + 4 * steps, Metrics.snapshot().steps());
    assertEquals(before.openOptimizers(), Metrics.snapshot().openOptimizers());
  }

  @Test
  void memoryIsCountedByKind() {
    MemoryUse before = Metrics.snapshot().memory();
    try (Parameters parameters = parameters(1000)) {
      MemoryUse now = Metrics.snapshot().memory();
      assertTrue(now.parameters() >= before.parameters() + 4000);
      assertTrue(now.gradients() >= before.gradients() + 4000);
      assertEquals(before.states(), now.states());
      try (Optimizer optimizer = AdamW.builder(parameters).averageParameters(0.5).build()) {
        optimizer.step();
        now = Metrics.snapshot().memory();
        assertTrue(now.states() >= before.states() + 12_000);
        assertTrue(now.tables() > 0);
        assertEquals(
            now.total(),
            now.parameters()
                + now.gradients()
                + now.states()
                + now.halfPrecisionCopies()
                + now.publications()
                + now.tables()
                + now.copies());
        assertTrue(now.total() <= now.limit());
      }
    }
    MemoryUse after = Metrics.snapshot().memory();
    assertEquals(before.parameters(), after.parameters());
    assertEquals(before.gradients(), after.gradients());
    assertEquals(before.states(), after.states());
  }

  @Test
  void publicationsAndSavingsAreCounted() {
    MetricsSnapshot before = Metrics.snapshot();
    Publications.published(5, 100);
    Publications.published(6, 100);
    Publications.publicationSkipped(7);
    Path folder = Path.of("some/./folder");
    assertFalse(Metrics.checkpointAge(folder).isPresent());
    Path absolute = folder.toAbsolutePath().normalize();
    Savings.saved(Savings.begin(), absolute.toString(), absolute + "/file", 5, 1000);
    MetricsSnapshot after = Metrics.snapshot();
    assertEquals(before.publications() + 2, after.publications());
    assertEquals(before.skippedPublications() + 1, after.skippedPublications());
    assertEquals(before.savedCheckpoints() + 1, after.savedCheckpoints());
    Duration age = Metrics.checkpointAge(folder).orElseThrow();
    assertTrue(!age.isNegative() && age.compareTo(Duration.ofHours(1)) < 0, age.toString());
    assertTrue(after.checkpointAge().orElseThrow().compareTo(age) <= 0);
  }

  /// The age of the newest checkpoint is for alarms; the age is also available for each folder.
  @Test
  void theAgeIsThatOfTheLastSaving() throws InterruptedException {
    Path old = Path.of("/nowhere/old");
    Path fresh = Path.of("/nowhere/new");
    Savings.saved(null, old.toString(), old + "/file", 5, 1000);
    Thread.sleep(20);
    Savings.saved(null, fresh.toString(), fresh + "/file", 5, 1000);
    Duration between = Metrics.checkpointAge(old).orElseThrow();
    assertTrue(between.toMillis() >= 20, between.toString());
    Savings.saved(null, old.toString(), old + "/file", 6, 1000);
    Thread.sleep(1);
    Duration newest = Metrics.snapshot().checkpointAge().orElseThrow();
    assertTrue(newest.compareTo(Metrics.checkpointAge(old).orElseThrow()) <= 0);
    assertTrue(
        Metrics.checkpointAge(fresh).orElseThrow().compareTo(newest) > 0,
        "the folder that was saved into before is older");
  }
}
