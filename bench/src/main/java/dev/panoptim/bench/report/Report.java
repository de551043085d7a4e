package dev.panoptim.bench.report;

import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.CallOverheadBenchmark;
import dev.panoptim.bench.CallersBenchmark;
import dev.panoptim.bench.CheckpointBenchmark;
import dev.panoptim.bench.ConstantsBenchmark;
import dev.panoptim.bench.EpilogueBenchmark;
import dev.panoptim.bench.ManyTensorsBenchmark;
import dev.panoptim.bench.Peer;
import dev.panoptim.bench.PeerBenchmark;
import dev.panoptim.bench.StepBenchmark;
import dev.panoptim.bench.report.Document.Section;
import dev.panoptim.bench.report.Document.Table;
import dev.panoptim.bench.report.Document.Text;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.knowm.xchart.XYChart;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;

/// The results of a run in words, tables and charts: a page and a Markdown file of the same. What
/// was not measured is left out.
public final class Report {
  private static final String MARKDOWN = "report.md";
  private static final String PAGE = "index.html";
  private static final String MEASUREMENTS = "measurements.json";

  private final Results results;

  private Report(Results results) {
    this.results = results;
  }

  /// Writes `index.html`, `report.md` and their pictures, and all that was measured as JMH's JSON.
  ///
  /// @param folder made where it is not there
  /// @param flags of the Java virtual machines that ran the benchmarks
  /// @return the Markdown
  public static String write(Collection<RunResult> runs, List<String> flags, Path folder)
      throws IOException {
    Files.createDirectories(folder);
    ResultFormatFactory.getInstance(ResultFormatType.JSON, folder.resolve(MEASUREMENTS).toString())
        .writeOut(runs);
    Document document = new Report(new Results(runs)).document(flags);
    for (Document.Picture each : document.pictures()) {
      Charts.save(each, folder);
    }
    String markdown = Markdown.of(document);
    Files.writeString(folder.resolve(MARKDOWN), markdown);
    Files.writeString(folder.resolve(PAGE), Html.of(document));
    return markdown;
  }

  private Document document(List<String> flags) {
    List<Section> sections = new ArrayList<>();
    sections.add(
        new Section(
            "Machine",
            List.of(
                Machine.describe(flags),
                new Text(
                    "Figures are medians over all measurements of all forks, with their quartiles;"
                        + " error bars are half as long to either side as the quartiles are apart."
                        + " Ratios with quartiles are medians over pairs that ran in turn; those of"
                        + " backends to each other, and of threads to one thread, are of medians of"
                        + " separate runs."))));
    Stream.of(
            backends(),
            optimizers(),
            threads(),
            new ThreadingSection(results).section(),
            epilogue(),
            manyTensors(),
            peers(),
            calls(),
            checkpoints(),
            constants(),
            new Targets(results).section())
        .filter(each -> !each.isEmpty())
        .forEach(sections::add);
    return new Document("Panoptim's benchmarks", sections);
  }

  private Section backends() {
    Section section = Section.of("AdamW on each backend");
    List<Result> steps =
        results.of(StepBenchmark.class, each -> each.has("optimizer", BenchedOptimizer.ADAMW));
    if (steps.isEmpty()) {
      return section;
    }
    Table table =
        Table.of(
            "backend",
            "tier",
            "threads",
            "elements",
            "a step",
            "quartiles",
            "a parameter",
            "allocated");
    for (Result each : steps) {
      Summary time = each.primary();
      table.add(
          each.param("backend"),
          each.param("tier"),
          each.param("threads"),
          each.param("elements"),
          Duration.of(time.median()),
          Duration.range(time),
          format("%.3f ns", time.median() / each.number("elements")),
          allocated(each));
    }
    section.add(
        table,
        "What is allocated is given for steps of less than 10 us: of longer ones an"
            + " iteration has so few that what the harness itself allocates shows.");
    XYChart chart = Charts.logarithmic("AdamW, one thread", "elements", "nanoseconds of a step");
    for (String backend : List.of("native", "vector", "scalar")) {
      Charts.add(chart, backend, points(results.steps(BenchedOptimizer.ADAMW, backend, 1)));
    }
    section.add(new Document.Picture("backends", "AdamW's step against its size", chart));
    return section;
  }

  private static String allocated(Result step) {
    return step.primary().median() < 10_000 && !Double.isNaN(step.allocated())
        ? format("%.1f B", step.allocated())
        : "";
  }

  private static List<Charts.Point> points(List<Result> steps) {
    return steps.stream()
        .map(each -> new Charts.Point(each.number("elements"), each.primary()))
        .toList();
  }

  private Section optimizers() {
    Section section = Section.of("Every optimizer");
    Table table =
        Table.of(
            "optimizer",
            "bytes a parameter",
            "in cache, a parameter",
            "speed, of that of moving bytes",
            "quartiles");
    List<String> labels = new ArrayList<>();
    List<Summary> percents = new ArrayList<>();
    for (BenchedOptimizer each : BenchedOptimizer.values()) {
      Summary inCache = results.step(each, "native", 1, Results.IN_CACHE);
      Summary toLimit = results.toLimit(each);
      if (!inCache.isKnown() && !toLimit.isKnown()) {
        continue;
      }
      Summary percent = toLimit.inverse().times(100);
      table.add(
          each.label(),
          Integer.toString(each.bytesMoved()),
          inCache.isKnown() ? format("%.3f ns", inCache.median() / Results.IN_CACHE) : "",
          percent.isKnown() ? format("%.1f %%", percent.median()) : "",
          percent.isKnown() ? percent.range("%.1f") : "");
      if (percent.isKnown()) {
        labels.add(each.label());
        percents.add(percent);
      }
    }
    if (table.rows().isEmpty()) {
      return section;
    }
    section.add(
        table,
        "In cache: 4,096 parameters, one thread. Speed: 33,554,432 parameters, two threads,"
            + " the time of a plain kernel that only moves the same bytes, the bandwidth"
            + " limit, to that of the step. A little more than all of it is possible, as"
            + " that kernel fetches nothing ahead.");
    if (!percents.isEmpty()) {
      section.add(
          new Document.Picture(
              "limit",
              "Percent of the bandwidth limit, 33,554,432 parameters",
              Charts.bars("Of the bandwidth limit", "percent", labels, percents)));
    }
    for (BenchedOptimizer.Family family : BenchedOptimizer.Family.values()) {
      addFamily(section, family);
    }
    return section;
  }

  private void addFamily(Section section, BenchedOptimizer.Family family) {
    List<BenchedOptimizer> measured =
        Arrays.stream(BenchedOptimizer.values())
            .filter(each -> each.family() == family)
            .filter(each -> results.steps(each, "native", 1).size() > 1)
            .toList();
    if (measured.isEmpty()) {
      return;
    }
    XYChart chart =
        Charts.logarithmic(family.title() + ", native", "elements", "nanoseconds of a step");
    for (BenchedOptimizer each : measured) {
      Charts.add(chart, each.label(), points(results.steps(each, "native", 1)));
    }
    section.add(
        new Document.Picture(
            family.name().toLowerCase(Locale.ROOT),
            family.title() + ": a step against its size, one thread",
            chart));
  }

  private Section threads() {
    Section section = Section.of("Threads");
    List<Result> scaling =
        results.of(
            StepBenchmark.class,
            each ->
                each.has("optimizer", BenchedOptimizer.ADAMW)
                    && each.has("backend", "native")
                    && each.has("tier", StepBenchmark.BEST));
    List<Long> sizes =
        scaling.stream()
            .filter(each -> each.number("threads") > 1)
            .map(each -> each.number("elements"))
            .distinct()
            .sorted()
            .toList();
    if (!sizes.isEmpty()) {
      XYChart chart = Charts.lines("AdamW, native", "threads", "times as fast as one thread");
      for (long size : sizes) {
        addScaling(chart, size, scaling);
      }
      section.add(
          new Document.Picture("threads", "Steps of several threads to those of one", chart));
    }
    addCallers(section);
    return section;
  }

  private static void addScaling(XYChart chart, long size, List<Result> scaling) {
    List<Result> ofSize = scaling.stream().filter(each -> each.number("elements") == size).toList();
    ofSize.stream()
        .filter(each -> each.number("threads") == 1)
        .findFirst()
        .ifPresent(
            alone ->
                Charts.add(
                    chart,
                    format("%,d elements", size),
                    ofSize.stream()
                        .map(
                            each ->
                                new Charts.Point(
                                    each.number("threads"),
                                    each.primary().inverse().times(alone.primary().median())))
                        .toList()));
  }

  private void addCallers(Section section) {
    Table table =
        Table.of(
            "Java threads that step at once",
            "for each step",
            "one alone",
            "speed of all to that of one",
            "quartiles",
            "native threads");
    for (Result each : results.of(CallersBenchmark.class)) {
      Summary ratio = each.otherToStep();
      table.add(
          each.param("callers") + " " + each.param("kind"),
          median(each, "stepNanos"),
          median(each, "otherNanos"),
          format("%.2f", ratio.median()),
          ratio.range("%.2f"),
          format("%.0f", each.counter("nativeThreads").high()));
    }
    section.add(
        table,
        "Each with an optimizer of its own that may take two threads. Native threads are"
            + " all those of the process, the Java virtual machine's among them.");
  }

  private Section epilogue() {
    Section section = Section.of("Around the update");
    Table table =
        Table.of(
            "AdamW's whole end of a step",
            "fused",
            "against",
            "takes",
            "fused to that",
            "quartiles");
    for (Result each : results.of(EpilogueBenchmark.class)) {
      Summary ratio = each.stepToOther();
      table.add(
          format("%,d parameters, %s threads", each.number("elements"), each.param("threads")),
          median(each, "stepNanos"),
          each.has("against", EpilogueBenchmark.PASSES)
              ? "separate native passes"
              : "PyTorch's chain around its fused step",
          median(each, "otherNanos"),
          format("%.2f", ratio.median()),
          ratio.range("%.2f"));
    }
    section.add(
        table, "Scale, clip to a norm, step, running average, bfloat16 copy, gradients to 0.");
    return section;
  }

  private Section manyTensors() {
    Section section = Section.of("Many tensors");
    Table table =
        Table.of(
            "AdamW's tensors", "gradients", "a step", "as one tensor", "many to one", "quartiles");
    for (Result each : results.of(ManyTensorsBenchmark.class)) {
      Summary ratio = each.stepToOther();
      table.add(
          each.param("tensors"),
          each.has("gradients", ManyTensorsBenchmark.MOVE) ? "move at each step" : "stay",
          median(each, "stepNanos"),
          median(each, "otherNanos"),
          format("%.2f", ratio.median()),
          ratio.range("%.2f"));
    }
    section.add(table);
    return section;
  }

  private Section checkpoints() {
    Section section = Section.of("Checkpoints");
    Table table =
        Table.of(
            "1 GiB of AdamW's parameters and states",
            "takes",
            "copying the file with fsync",
            "it to copying",
            "quartiles",
            "allocated on the heap");
    for (Result each : results.of(CheckpointBenchmark.class)) {
      Summary ratio = each.stepToOther();
      table.add(
          each.has("action", CheckpointBenchmark.SNAPSHOT)
              ? "snapshot, until training may go on"
              : each.param("action"),
          median(each, "stepNanos"),
          median(each, "otherNanos"),
          format("%.2f", ratio.median()),
          ratio.range("%.2f"),
          format("%.2f MiB", each.counter("heapBytes").high() / (1 << 20)));
    }
    section.add(
        table, "Saving forces file and folder to the disk; loading verifies all checksums.");
    return section;
  }

  private Section peers() {
    Section section = Section.of("Other libraries");
    List<Result> all = results.of(PeerBenchmark.class);
    Table table =
        Table.of(
            "tensors",
            "optimizer",
            "library",
            "its threads",
            "it takes",
            "Panoptim",
            "it to Panoptim",
            "quartiles");
    for (Result each : all) {
      Summary ratio = each.otherToStep();
      table.add(
          each.param("tensors"),
          BenchedOptimizer.valueOf(each.param("optimizer")).label(),
          Peer.valueOf(each.param("peer")).label(),
          each.param("peerThreads"),
          median(each, "otherNanos"),
          median(each, "stepNanos"),
          format("%.2f", ratio.median()),
          ratio.range("%.2f"));
    }
    if (table.rows().isEmpty()) {
      return section;
    }
    section.add(
        table,
        "Results agreed before they were timed. Panoptim has two threads. Compared with: "
            + versions(all)
            + ".");
    for (String tensors : all.stream().map(each -> each.param("tensors")).distinct().toList()) {
      List<Result> ofThese =
          all.stream()
              .filter(each -> each.has("tensors", tensors))
              .filter(each -> each.has("optimizer", Peer.valueOf(each.param("peer")).judgedBy()))
              .toList();
      if (!ofThese.isEmpty()) {
        section.add(
            new Document.Picture(
                "peers-" + tensors,
                tensors + ": how many times as long each library takes",
                Charts.bars(
                    tensors,
                    "its time to Panoptim's",
                    ofThese.stream().map(Report::peerLabel).toList(),
                    ofThese.stream().map(Result::otherToStep).toList())));
      }
    }
    return section;
  }

  private static String versions(List<Result> all) {
    return all.stream()
        .map(each -> each.param("peer"))
        .distinct()
        .map(name -> Peer.valueOf(name).version())
        .distinct()
        .collect(Collectors.joining(", "));
  }

  private static String peerLabel(Result result) {
    return "%s %s, %s threads"
        .formatted(
            result.param("peer").toLowerCase(Locale.ROOT).replace('_', ' '),
            BenchedOptimizer.valueOf(result.param("optimizer")).label(),
            result.param("peerThreads"));
  }

  private Section calls() {
    Section section = Section.of("From Java into C++ and back");
    Table table = Table.of("call", "takes", "quartiles");
    for (Result each : results.of(CallOverheadBenchmark.class)) {
      Summary time = each.primary();
      table.add(each.method(), Duration.of(time.median()), Duration.range(time));
    }
    section.add(table);
    return section;
  }

  private Section constants() {
    Section section = Section.of("Constants");
    Table table =
        Table.of("AdamW with", "elements", "takes", "as chosen", "to the chosen", "quartiles");
    for (Result each : results.of(ConstantsBenchmark.class)) {
      Summary ratio = each.otherToStep();
      table.add(
          each.param("changed"),
          each.param("elements"),
          median(each, "otherNanos"),
          median(each, "stepNanos"),
          format("%.3f", ratio.median()),
          ratio.range("%.3f"));
    }
    section.add(table);
    return section;
  }

  private static String median(Result pairs, String nanos) {
    return Duration.of(pairs.counter(nanos).median());
  }

  static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
