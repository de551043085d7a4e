package dev.panoptim.metrics;

import dev.panoptim.internal.memory.Forgotten;
import dev.panoptim.internal.memory.MemoryBudget;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.observe.Publications;
import dev.panoptim.internal.observe.Savings;
import dev.panoptim.internal.observe.StepCounter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// Counts the library's activity in this process. Each class loader that loads the library has its
/// own counts. They start at 0 and are always on.
///
/// ```java
/// MetricsSnapshot now = Metrics.snapshot();
/// System.out.println(now.steps() + " steps, " + now.memory().total() + " bytes off-heap");
/// ```
///
/// The time of a snapshot grows with the number of open optimizers: about a microsecond for a
/// hundred. Steps never wait for a snapshot.
///
/// Thread-safe.
public final class Metrics {
  private Metrics() {}

  /// Returns the present counts.
  ///
  /// @throws IllegalArgumentException if the system property `panoptim.memory.limit` is malformed
  public static MetricsSnapshot snapshot() {
    StepCounter.Totals totals = StepCounter.totals();
    return new MetricsSnapshot(
        totals.steps(),
        totals.skipped(),
        Duration.ofNanos(totals.nanos()),
        totals.open(),
        totals.opened(),
        Publications.count(),
        Publications.skippedCount(),
        Savings.count(),
        checkpointAge(),
        Forgotten.count(),
        Forgotten.bytes(),
        memory());
  }

  private static MemoryUse memory() {
    return new MemoryUse(
        MemoryBudget.held(MemoryKind.PARAMETERS),
        MemoryBudget.held(MemoryKind.GRADIENTS),
        MemoryBudget.held(MemoryKind.STATES),
        MemoryBudget.held(MemoryKind.HALF_PRECISION_COPIES),
        MemoryBudget.held(MemoryKind.PUBLICATIONS),
        MemoryBudget.held(MemoryKind.TABLES),
        MemoryBudget.held(MemoryKind.COPIES),
        MemoryBudget.held(),
        MemoryBudget.limit(),
        MemoryBudget.mapped(),
        MemoryBudget.onDevices());
  }

  private static Optional<Duration> checkpointAge() {
    return Savings.ages().values().stream().reduce((before, last) -> last).map(Duration::ofNanos);
  }

  /// Returns the time since this process last saved a checkpoint to a folder. The result is empty
  /// if there was no save, or if this process has saved to a thousand other folders since then.
  public static Optional<Duration> checkpointAge(Path folder) {
    Map<String, Long> ages = Savings.ages();
    return Optional.ofNullable(ages.get(folder.toAbsolutePath().normalize().toString()))
        .map(Duration::ofNanos);
  }
}
