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

/// Registers the counts of [Metrics] as Micrometer meters:
///
/// | meter | meaning |
/// |---|---|
/// | `panoptim.step` | the steps of all optimizers and their duration (a timer) |
/// | `panoptim.step.skipped` | steps that changed nothing because a gradient was not finite |
/// | `panoptim.optimizers.open` | optimizers that have been built and not closed |
/// | `panoptim.memory.used` | off-heap bytes, by the tag `kind` |
/// | `panoptim.memory.limit` | the limit of all kinds together in bytes; infinite without a limit |
/// | `panoptim.memory.mapped` | mapped bytes of shared files |
/// | `panoptim.memory.devices` | bytes of GPU memory |
/// | `panoptim.memory.forgotten` | owners of memory that were garbage-collected without a close |
/// | `panoptim.publications` | publications of parameters |
/// | `panoptim.publications.skipped` | publications that were skipped because readers held all buffers |
/// | `panoptim.checkpoints` | saved checkpoints |
/// | `panoptim.checkpoint.age` | seconds since the last saved checkpoint; NaN before the first |
/// | `panoptim.backend.degraded` | 1 if a fallback runs instead of the native backend, else 0 |
///
/// ```java
/// new PanoptimMetrics().bindTo(registry);
/// ```
///
/// With Spring Boot, a bean of this class is enough. If no optimizer has chosen a backend before,
/// the first reading of `panoptim.backend.degraded` makes [Backends#auto()] choose one.
///
/// Thread-safe.
public final class PanoptimMetrics implements MeterBinder {
  /// The object of all meters. Meters hold it by a weak reference only, and a class is never
  /// collected while it is in use.
  private static final Class<Metrics> COUNTS = Metrics.class;

  private final Tags tags;

  /// Meters without additional tags.
  public PanoptimMetrics() {
    this(Tags.empty());
  }

  /// Meters with additional tags.
  ///
  /// @param tags the tags of every meter
  /// @throws NullPointerException if `tags` is null
  public PanoptimMetrics(Iterable<Tag> tags) {
    this.tags = Tags.of(Objects.requireNonNull(tags, "tags is null"));
  }

  /// Registers all meters.
  ///
  /// @throws NullPointerException if `registry` is null
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
        "Publications skipped because readers held all buffers",
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
        .description("Whether a fallback runs instead of the native backend")
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
        "Limit of off-heap bytes",
        now -> limit(now.memory().limit()));
    gauge(
        registry,
        "panoptim.memory.mapped",
        BaseUnits.BYTES,
        "Mapped bytes of shared files",
        now -> now.memory().mapped());
    gauge(
        registry,
        "panoptim.memory.devices",
        BaseUnits.BYTES,
        "Bytes of GPU memory",
        now -> now.memory().onDevices());
    counter(
        registry,
        "panoptim.memory.forgotten",
        "Owners of memory that were collected without a close",
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
