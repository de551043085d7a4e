package dev.panoptim.micrometer;

import dev.panoptim.backend.Backends;
import dev.panoptim.metrics.MemoryUse;
import dev.panoptim.metrics.Metrics;
import dev.panoptim.metrics.MetricsSnapshot;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.BaseUnits;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/// Registers what [Metrics] counts as meters of Micrometer:
///
/// | meter | what it says |
/// |---|---|
/// | `panoptim.step` | steps of all optimizers, and the time that they took (a timer) |
/// | `panoptim.step.skipped` | steps that changed nothing, for a gradient was not finite |
/// | `panoptim.optimizers.open` | optimizers that have been built and not been closed |
/// | `panoptim.memory.used` | bytes off-heap, by the tag `kind` |
/// | `panoptim.memory.limit` | what all kinds together may take; infinite without a limit |
/// | `panoptim.memory.mapped` | bytes of shared files that are mapped |
/// | `panoptim.memory.devices` | bytes on GPUs |
/// | `panoptim.memory.forgotten` | owners of memory that were never closed |
/// | `panoptim.publications` | how often parameters were published |
/// | `panoptim.publications.skipped` | how often that was left out, for readers held all buffers |
/// | `panoptim.checkpoints` | checkpoints that were saved |
/// | `panoptim.checkpoint.age` | seconds since the last one; NaN before the first |
/// | `panoptim.backend.degraded` | 1 if the native backend should run and does not, else 0 |
///
/// ```java
/// new PanoptimMetrics().bindTo(registry);
/// ```
///
/// With Spring Boot, a bean of this class is enough. The first reading of
/// `panoptim.backend.degraded` lets [Backends#auto()] choose the backend if no optimizer has.
///
/// Thread-safe.
public final class PanoptimMetrics implements MeterBinder {
  /// What meters refer to: they keep it by a weak reference alone.
  private static final Class<Metrics> COUNTS = Metrics.class;

  private final Tags tags;

  /// Meters without further tags.
  public PanoptimMetrics() {
    this(Tags.empty());
  }

  /// Meters with tags of one's own.
  public PanoptimMetrics(Iterable<Tag> tags) {
    this.tags = Tags.of(Objects.requireNonNull(tags, "tags is null"));
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    bindSteps(registry);
    bindMemory(registry);
    counter(
        registry,
        "panoptim.publications",
        "Publications of parameters",
        MetricsSnapshot::publications);
    counter(
        registry,
        "panoptim.publications.skipped",
        "Publications that were left out because readers held all buffers",
        MetricsSnapshot::skippedPublications);
    counter(
        registry, "panoptim.checkpoints", "Checkpoints saved", MetricsSnapshot::savedCheckpoints);
    TimeGauge.builder(
            "panoptim.checkpoint.age", COUNTS, TimeUnit.NANOSECONDS, counts -> checkpointAge())
        .description("Time since the last checkpoint was saved")
        .tags(tags)
        .register(registry);
    Gauge.builder(
            "panoptim.backend.degraded", COUNTS, counts -> Backends.status().degraded() ? 1 : 0)
        .description("Whether the native backend should run and does not")
        .tags(tags)
        .register(registry);
  }

  private void bindSteps(MeterRegistry registry) {
    FunctionTimer.builder(
            "panoptim.step",
            COUNTS,
            counts -> Metrics.snapshot().steps(),
            counts -> Metrics.snapshot().timeInSteps().toNanos(),
            TimeUnit.NANOSECONDS)
        .description("Steps of all optimizers")
        .tags(tags)
        .register(registry);
    counter(
        registry,
        "panoptim.step.skipped",
        "Steps skipped because a gradient was not finite",
        MetricsSnapshot::skippedSteps);
    gauge(
        registry,
        "panoptim.optimizers.open",
        null,
        "Optimizers that are open",
        now -> now.openOptimizers());
  }

  private void bindMemory(MeterRegistry registry) {
    used(registry, "parameters", MemoryUse::parameters);
    used(registry, "gradients", MemoryUse::gradients);
    used(registry, "states", MemoryUse::states);
    used(registry, "half-precision copies", MemoryUse::halfPrecisionCopies);
    used(registry, "publications", MemoryUse::publications);
    used(registry, "tables", MemoryUse::tables);
    used(registry, "copies", MemoryUse::copies);
    gauge(
        registry,
        "panoptim.memory.limit",
        BaseUnits.BYTES,
        "Bytes that may be held off-heap",
        now -> limit(now.memory().limit()));
    gauge(
        registry,
        "panoptim.memory.mapped",
        BaseUnits.BYTES,
        "Bytes of shared files that are mapped",
        now -> now.memory().mapped());
    gauge(
        registry,
        "panoptim.memory.devices",
        BaseUnits.BYTES,
        "Bytes held on GPUs",
        now -> now.memory().onDevices());
    counter(
        registry,
        "panoptim.memory.forgotten",
        "Owners of memory that were never closed",
        MetricsSnapshot::forgotten);
  }

  private void used(MeterRegistry registry, String kind, ToLongFunction<MemoryUse> bytes) {
    Gauge.builder(
            "panoptim.memory.used",
            COUNTS,
            counts -> bytes.applyAsLong(Metrics.snapshot().memory()))
        .baseUnit(BaseUnits.BYTES)
        .description("Bytes held off-heap")
        .tags(tags.and("kind", kind))
        .register(registry);
  }

  private void gauge(
      MeterRegistry registry,
      String name,
      String unit,
      String description,
      ToDoubleFunction<MetricsSnapshot> value) {
    Gauge.builder(name, COUNTS, counts -> value.applyAsDouble(Metrics.snapshot()))
        .baseUnit(unit)
        .description(description)
        .tags(tags)
        .register(registry);
  }

  private void counter(
      MeterRegistry registry,
      String name,
      String description,
      ToLongFunction<MetricsSnapshot> value) {
    FunctionCounter.builder(name, COUNTS, counts -> value.applyAsLong(Metrics.snapshot()))
        .description(description)
        .tags(tags)
        .register(registry);
  }

  private static double limit(long bytes) {
    return bytes == Long.MAX_VALUE ? Double.POSITIVE_INFINITY : bytes;
  }

  private static double checkpointAge() {
    return Metrics.snapshot().checkpointAge().map(age -> (double) age.toNanos()).orElse(Double.NaN);
  }
}
