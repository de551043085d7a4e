package dev.panoptim.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.bench.BandwidthBenchmark;
import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.ConstantsBenchmark;
import dev.panoptim.bench.SmallStepBenchmark;
import dev.panoptim.bench.StepBenchmark;
import dev.panoptim.bench.ThreadingBenchmark;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/// The report shows every measurement. Here the benchmarks run for a few milliseconds only.
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
  void hasTablesAndPicturesOfEveryBenchmark() throws Exception {
    List<RunResult> results = new ArrayList<>();
    results.addAll(
        run(
            options(StepBenchmark.class)
                .param("optimizer", BenchedOptimizer.ADAMW.name(), BenchedOptimizer.SGD.name())
                .param("elements", "256", "4096", "65536")));
    results.addAll(run(options(SmallStepBenchmark.class)));
    results.addAll(
        run(
            options(BandwidthBenchmark.class)
                .param("optimizer", BenchedOptimizer.ADAMW.name())
                .param("elements", "33554432")));
    results.addAll(
        run(
            options(ConstantsBenchmark.class)
                .param("changed", "chunk=1024")
                .param("elements", "65536")));
    results.addAll(
        run(
            options(ThreadingBenchmark.class)
                .param("elements", "16384", "32768", "65536")
                .param("threading", ThreadingBenchmark.ONE, ThreadingBenchmark.POOL)
                .param("pauseMicros", "0", "20", "100", "300")
                .param("millis", "1")));
    Run run = Run.of("own", "mvn some-command", List.of("--some-flag"), List.of(), results);
    String markdown = Report.write(new Measurements(List.of(run)), GpuTable.NONE, folder);

    assertEquals(markdown, Files.readString(folder.resolve("report.md")));
    String page = Files.readString(folder.resolve("index.html"));
    for (String expected :
        List.of(
            "--some-flag", "mvn some-command", "AdamW on each backend", "chunk=1024", "Summary")) {
      assertTrue(markdown.contains(expected), expected);
      assertTrue(page.contains(expected), expected);
    }
    assertEquals(
        18,
        lines(markdown, "\\| (native|vector|scalar) \\| best \\| [12] \\| (256|4,096|65,536) .*"));
    // Three backends at two step counts, each with its heap bytes.
    assertEquals(
        6,
        lines(
            markdown,
            "\\| (native|vector|scalar) \\| 16 \\| (10,000|200,000) \\| [^|]+ \\| [^|]+ \\| [0-9.]+"
                + " \\|"));
    assertEquals(
        1, lines(markdown, "\\| native, 16 parameters, at step 10,000: .* \\| (yes|NO) \\|"));
    assertEquals(1, lines(markdown, "\\| adamw \\| 28 \\| [0-9.]+ ns \\| [0-9.]+ % .*"));
    assertEquals(1, lines(markdown, "\\| sgd \\| 12 \\| [0-9.]+ ns \\|  \\|  \\|"));
    // Each size back to back, and after three pauses of two kinds of callers; OpenMP was not run.
    assertEquals(
        3,
        lines(
            markdown,
            "\\| (16,384|32,768|65,536) \\| none \\|  \\| [^|]+\\) \\| [^|]+\\) \\|  \\|  \\|"));
    assertEquals(
        18,
        lines(
            markdown, "\\| (16,384|32,768|65,536) \\| (20|100|300) us \\| (spins|sleeps) \\| .*"));
    assertFalse(markdown.contains("Other libraries"), "no other library was run");
    assertFalse(markdown.contains("NaN"), "an unknown figure is shown");
    Matcher pictures = Pattern.compile("<img src=\"([^\"]+)\"").matcher(page);
    int count = 0;
    while (pictures.find()) {
      String name = pictures.group(1);
      assertTrue(markdown.contains("(" + name + ")"));
      if (name.endsWith(".png")) {
        assertNotNull(ImageIO.read(folder.resolve(name).toFile()));
      } else {
        root(Files.readString(folder.resolve(name)));
      }
      count++;
    }
    // Backends, limit, two families, threads by size and by three sizes' pauses.
    assertEquals(8, count);
  }

  private static Element root(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(svg)))
        .getDocumentElement();
  }

  private static long lines(String text, String pattern) {
    return text.lines().filter(each -> each.matches(pattern)).count();
  }

  @Test
  void escapesMarkup() {
    Document.Table table = Document.Table.of("a<b", "c&d");
    table.add("\"quoted\"", "100 % > 99 %");
    Document document =
        new Document("title", List.of(new Document.Chapter("chapter", List.of(table))));
    String page = Html.of(document);
    for (String expected : List.of("a&lt;b", "c&amp;d", "&quot;quoted&quot;", "100 % &gt; 99 %")) {
      assertTrue(page.contains(expected), page);
    }
    table.add("a|b", "");
    table.add("`code`", "-".repeat(40));
    assertTrue(Html.of(document).contains("<td><code>code</code></td><td class=\"long\">---"));
    assertTrue(Markdown.of(document).contains("| a\\|b |  |"), Markdown.of(document));
  }

  /// A chart is as high as its bars need, and no bar or value ends outside of it.
  @Test
  void sizesBarChartsByTheirBars() throws Exception {
    int before = 0;
    for (int bars = 1; bars <= 20; bars++) {
      BarChart chart = new BarChart("name", "title <of> the chart", "%.2f");
      for (int i = 0; i < bars; i++) {
        chart.add("bar " + i, new Summary(i + 1, i, i + 3));
      }
      chart.add("not measured", Summary.UNKNOWN);
      Element svg = root(chart.svg());
      int height = Integer.parseInt(svg.getAttribute("height"));
      assertEquals(24, before == 0 ? 24 : height - before);
      before = height;
      NodeList rectangles = svg.getElementsByTagName("rect");
      assertEquals(1 + bars, rectangles.getLength(), "the background and the bars");
      for (int i = 1; i <= bars; i++) {
        Element bar = (Element) rectangles.item(i);
        double right = number(bar, "x") + number(bar, "width");
        assertTrue(right <= number(svg, "width"), "bar " + i);
        assertTrue(number(bar, "y") + number(bar, "height") <= height, "bar " + i);
      }
    }
  }

  private static double number(Element element, String attribute) {
    return Double.parseDouble(element.getAttribute(attribute));
  }

  @Test
  void summarizesByMedianAndQuartiles() {
    assertEquals(new Summary(3, 2, 4), Summary.of(DoubleStream.of(5, 1, 3, 2, 4)));
    assertEquals(new Summary(1.5, 1.25, 1.75), Summary.of(DoubleStream.of(2, 1)));
    assertEquals(new Summary(7, 7, 7), Summary.of(DoubleStream.of(7)));
    assertFalse(Summary.of(DoubleStream.of()).isKnown());
    assertEquals(1, new Summary(3, 2, 4).deviation());
  }

  @Test
  void showsTimesInAUnitThatSuitsThem() {
    assertEquals("3.60 ns", Duration.of(3.6));
    assertEquals("139.6 ns", Duration.of(139.6));
    assertEquals("1.58 us", Duration.of(1577));
    assertEquals("18.4 ms", Duration.of(18_361_160));
    assertEquals("12.0 s", Duration.of(12e9));
    assertEquals("1000.0 s", Duration.of(1e12));
    assertEquals("0.99 to 1.10", Duration.range(new Summary(1000, 990, 1100)));
  }
}
