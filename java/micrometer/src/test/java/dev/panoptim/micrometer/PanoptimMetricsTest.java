package dev.panoptim.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.checkpoint.CheckpointFolder;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameters;
import dev.panoptim.metrics.MemoryUse;
import dev.panoptim.metrics.Metrics;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Checks the meters as Prometheus reads them.
class PanoptimMetricsTest {
  private static final Pattern SAMPLE =
      Pattern.compile("^(panoptim_\\S*?(?:\\{[^}]*\\})?) (\\S+)$", Pattern.MULTILINE);

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

  private Map<String, Double> scrape() {
    Map<String, Double> samples = new HashMap<>();
    Matcher found = SAMPLE.matcher(registry.scrape());
    while (found.find()) {
      String value = found.group(2).replace("+Inf", "Infinity");
      samples.put(found.group(1), Double.valueOf(value));
    }
    return samples;
  }

  private static String used(String kind) {
    return "panoptim_memory_used_bytes{kind=\"" + kind + "\"}";
  }

  @Test
  void prometheusReadsTheCounts(@TempDir Path folder) {
    new PanoptimMetrics().bindTo(registry);
    // The binder is collected; its meters must not depend on it.
    System.gc();
    Map<String, Double> before = scrape();
    assertTrue(before.get("panoptim_checkpoint_age_seconds").isNaN(), before.toString());
    try (Parameters parameters = Parameters.builder().add("p", 100_000).build();
        Optimizer optimizer =
            AdamW.builder(parameters)
                .halfPrecisionCopy(HalfPrecision.BFLOAT16)
                .options(options -> options.skipNonFinite(true))
                .build()) {
      optimizer.step();
      optimizer.step();
      parameters.get("p").gradient().setAtIndex(ValueLayout.JAVA_FLOAT, 0, Float.NaN);
      assertTrue(optimizer.step().skipped());
      CheckpointFolder.of(folder, 1).save(Training.of(optimizer), 2, Map.of());

      Map<String, Double> now = scrape();
      MemoryUse memory = Metrics.snapshot().memory();
      assertEquals(3, grown("panoptim_step_seconds_count", before, now));
      assertTrue(grown("panoptim_step_seconds_sum", before, now) > 0);
      assertEquals(1, grown("panoptim_step_skipped_total", before, now));
      assertEquals(1, grown("panoptim_optimizers_open", before, now));
      assertEquals(memory.parameters(), now.get(used("parameters")));
      assertEquals(memory.gradients(), now.get(used("gradients")));
      assertTrue(grown(used("parameters"), before, now) >= 400_000, now.toString());
      assertTrue(grown(used("gradients"), before, now) >= 400_000, now.toString());
      assertTrue(grown(used("states"), before, now) >= 800_000, now.toString());
      assertTrue(grown(used("half-precision copies"), before, now) >= 200_000, now.toString());
      assertTrue(grown(used("tables"), before, now) > 0, now.toString());
      assertEquals(1, grown("panoptim_checkpoints_total", before, now));
      double age = now.get("panoptim_checkpoint_age_seconds");
      assertTrue(age >= 0 && age < 3600, "age " + age);
      assertEquals(Backends.status().degraded() ? 1 : 0, now.get("panoptim_backend_degraded"));
      assertEquals(
          memory.limit() == Long.MAX_VALUE ? Double.POSITIVE_INFINITY : memory.limit(),
          now.get("panoptim_memory_limit_bytes"));
    }
    Map<String, Double> after = scrape();
    assertEquals(0, grown("panoptim_optimizers_open", before, after));
    assertEquals(0, grown(used("states"), before, after));
    assertEquals(0, grown(used("half-precision copies"), before, after));
    assertEquals(3, grown("panoptim_step_seconds_count", before, after));
    for (String expected :
        new String[] {
          "panoptim_publications_total",
          "panoptim_publications_skipped_total",
          "panoptim_memory_forgotten_total",
          "panoptim_memory_mapped_bytes",
          "panoptim_memory_devices_bytes",
          used("publications"),
          used("copies")
        }) {
      assertTrue(after.containsKey(expected), expected + " is not in " + after.keySet());
    }
    assertFalse(after.containsValue(Double.NaN), after.toString());
  }

  private static double grown(String name, Map<String, Double> before, Map<String, Double> after) {
    assertTrue(after.containsKey(name), name + " is not in " + after.keySet());
    return after.get(name) - before.get(name);
  }

  @Test
  void metersHaveAdditionalTags() {
    new PanoptimMetrics(Tags.of("model", "churn")).bindTo(registry);
    for (String sample : scrape().keySet()) {
      assertTrue(sample.contains("model=\"churn\""), sample);
    }
    assertTrue(
        scrape().containsKey("panoptim_memory_used_bytes{kind=\"states\",model=\"churn\"}"),
        scrape().toString());
  }
}
