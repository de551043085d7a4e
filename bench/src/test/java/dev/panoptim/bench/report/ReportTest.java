package dev.panoptim.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.bench.BandwidthBenchmark;
import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.ConstantsBenchmark;
import dev.panoptim.bench.StepBenchmark;
import dev.panoptim.bench.ThreadingBenchmark;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// A report says what was measured, of benchmarks that are run here for a moment.
class ReportTest {
  @TempDir private Path folder;

  private static List<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
    return List.copyOf(
        new Runner(
                options
                    .forks(0)
                    .warmupIterations(0)
                    .measurementIterations(2)
                    .measurementTime(TimeValue.milliseconds(5))
                    .verbosity(VerboseMode.SILENT)
                    .shouldFailOnError(true)
                    .build())
            .run());
  }

  private static ChainedOptionsBuilder options(Class<?> benchmark) {
    return new OptionsBuilder().include(benchmark.getName() + "\\.");
  }

  @Test
  void tablesAndPicturesOfWhatWasRun() throws Exception {
    List<RunResult> runs = new ArrayList<>();
    runs.addAll(
        run(
            options(StepBenchmark.class)
                .param("optimizer", BenchedOptimizer.ADAMW.name(), BenchedOptimizer.SGD.name())
                .param("elements", "16", "4096")));
    runs.addAll(
        run(
            options(BandwidthBenchmark.class)
                .param("optimizer", BenchedOptimizer.ADAMW.name())
                .param("elements", "33554432")));
    runs.addAll(
        run(
            options(ConstantsBenchmark.class)
                .param("changed", "chunk=1024")
                .param("elements", "65536")));
    runs.addAll(
        run(
            options(ThreadingBenchmark.class)
                .param("elements", "16384", "65536")
                .param("threading", ThreadingBenchmark.ONE, ThreadingBenchmark.POOL)
                .param("pauseMicros", "0", "20", "100")
                .param("millis", "1")));
    String markdown = Report.write(runs, List.of("--some-flag"), folder);

    assertEquals(markdown, Files.readString(folder.resolve("report.md")));
    String page = Files.readString(folder.resolve("index.html"));
    for (String expected :
        List.of("--some-flag", "AdamW on each backend", "chunk=1024", "What was wanted")) {
      assertTrue(markdown.contains(expected), expected);
      assertTrue(page.contains(expected), expected);
    }
    // Every number of steps and the one of bandwidth.
    assertEquals(
        12, lines(markdown, "\\| (native|vector|scalar) \\| best \\| [12] \\| (16|4096) .*"));
    assertEquals(1, lines(markdown, "\\| adamw \\| 28 \\| [0-9.]+ ns \\| [0-9.]+ % .*"));
    assertEquals(1, lines(markdown, "\\| sgd \\| 12 \\| [0-9.]+ ns \\|  \\|  \\|"));
    // Each size back to back, of two kinds of callers, and after two pauses; OpenMP was not run.
    assertEquals(
        2,
        lines(markdown, "\\| (16384|65536) \\| none \\|  \\| [^|]+\\) \\| [^|]+\\) \\|  \\|  \\|"));
    assertEquals(8, lines(markdown, "\\| (16384|65536) \\| (20|100) us \\| (spins|sleeps) \\| .*"));
    assertFalse(markdown.contains("Other libraries"), "nothing was compared with them");
    assertFalse(markdown.contains("NaN"), "what was not measured is said to be a number");
    assertFalse(markdown.contains("bytes allocated"), "nobody has measured them");
    Matcher pictures = Pattern.compile("<img src=\"([^\"]+)\"").matcher(page);
    int count = 0;
    while (pictures.find()) {
      assertTrue(markdown.contains("(" + pictures.group(1) + ")"));
      assertNotNull(ImageIO.read(folder.resolve(pictures.group(1)).toFile()));
      count++;
    }
    // Backends, limit, two families, threads, their kinds by size and by two sizes' pauses.
    assertEquals(8, count);
    assertTrue(Files.readString(folder.resolve("measurements.json")).contains("StepBenchmark"));
  }

  private static long lines(String text, String pattern) {
    return text.lines().filter(each -> each.matches(pattern)).count();
  }

  @Test
  void whatAPageWouldTakeForMarkupIsEscaped() {
    Document.Table table = Document.Table.of("a<b", "c&d");
    table.add("\"quoted\"", "100 % > 99 %");
    String page =
        Html.of(new Document("title", List.of(new Document.Section("section", List.of(table)))));
    for (String expected : List.of("a&lt;b", "c&amp;d", "&quot;quoted&quot;", "100 % &gt; 99 %")) {
      assertTrue(page.contains(expected), page);
    }
  }

  @Test
  void aMedianAndItsQuartiles() {
    assertEquals(new Summary(3, 2, 4), Summary.of(DoubleStream.of(5, 1, 3, 2, 4)));
    assertEquals(new Summary(1.5, 1.25, 1.75), Summary.of(DoubleStream.of(2, 1)));
    assertEquals(new Summary(7, 7, 7), Summary.of(DoubleStream.of(7)));
    assertFalse(Summary.of(DoubleStream.of()).isKnown());
    assertEquals(1, new Summary(3, 2, 4).deviation());
  }

  @Test
  void timesAreInAUnitThatSuitsThem() {
    assertEquals("3.60 ns", Duration.of(3.6));
    assertEquals("139.6 ns", Duration.of(139.6));
    assertEquals("1.58 us", Duration.of(1577));
    assertEquals("18.4 ms", Duration.of(18_361_160));
    assertEquals("12.0 s", Duration.of(12e9));
    assertEquals("1000.0 s", Duration.of(1e12));
    assertEquals("0.99 to 1.10", Duration.range(new Summary(1000, 990, 1100)));
  }
}
