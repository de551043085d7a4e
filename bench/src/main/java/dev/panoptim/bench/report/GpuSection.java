package dev.panoptim.bench.report;

import static dev.panoptim.bench.report.GpuTable.ADAMW;
import static dev.panoptim.bench.report.GpuTable.COPY;
import static dev.panoptim.bench.report.GpuTable.DATE;
import static dev.panoptim.bench.report.GpuTable.DEVICE;
import static dev.panoptim.bench.report.GpuTable.DRIVER;
import static dev.panoptim.bench.report.GpuTable.LARGEST;
import static dev.panoptim.bench.report.GpuTable.MANY;
import static dev.panoptim.bench.report.GpuTable.PANOPTIM;
import static dev.panoptim.bench.report.GpuTable.PANOPTIM_JAVA;
import static dev.panoptim.bench.report.GpuTable.TORCH;
import static dev.panoptim.bench.report.GpuTable.TORCH_LIBRARIES;

import dev.panoptim.bench.BenchedOptimizer;
import dev.panoptim.bench.report.GpuTable.Case;
import dev.panoptim.bench.report.GpuTable.Row;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Steps on a GPU: beside a copy within the memory of the device, and beside PyTorch. Expected
/// cases without a measurement are shown as such.
final class GpuSection {
  static final String NOT_RUN = "not run";

  /// Value of a property that the table does not have.
  private static final String UNKNOWN = "unknown";

  /// Makes the table of a run.
  static final String COMMAND = "scripts/gpu/card.sh";

  /// Elements for which all optimizers are measured.
  private static final long OF_EVERY_OPTIMIZER = 100_000_000;

  /// Bytes that no device has a cache for.
  private static final double LEAST_BYTES = 200e6;

  /// Sizes of AdamW's step that are compared with PyTorch.
  private static final List<Case> STEPS =
      List.of(
          new Case(ADAMW, 1, LARGEST),
          new Case(ADAMW, 1, 1_000_000),
          new Case(ADAMW, 1, 256),
          new Case(ADAMW, MANY, MANY));

  /// Further cases by name, with labels.
  private static final Map<String, String> OTHERS = new LinkedHashMap<>();

  /// Cases that differ from a plain AdamW step in one thing, with labels.
  private static final Map<String, String> VARIANTS = new LinkedHashMap<>();

  /// Steps that Java calls, with labels.
  private static final Map<Case, String> JAVA = new LinkedHashMap<>();

  static {
    OTHERS.put("adamw fused", "AdamW, fused step");
    OTHERS.put("norm", "norm of the gradients");
    OTHERS.put("query", "query of an address");
    VARIANTS.put("adamw own coefficients", "separate coefficients for each tensor");
    VARIANTS.put("adamw unaligned", "unaligned tensors");
    VARIANTS.put("adamw zeros", "parameters and gradients are 0");
    JAVA.put(new Case(ADAMW, 1, 256), "AdamW");
    JAVA.put(new Case(ADAMW, 1, 1_000_000), "AdamW");
    JAVA.put(new Case(ADAMW, 1, OF_EVERY_OPTIMIZER), "AdamW");
    JAVA.put(new Case(ADAMW, MANY, MANY), "AdamW");
    JAVA.put(new Case("adamw moving gradients", MANY, MANY), "AdamW, gradients move at each step");
    JAVA.put(new Case("adamw fused", 1, OF_EVERY_OPTIMIZER), "AdamW, fused step");
    JAVA.put(new Case("offload", 1, OF_EVERY_OPTIMIZER), "AdamW, states in the host's memory");
    JAVA.put(
        new Case("offload master copy", 1, OF_EVERY_OPTIMIZER),
        "AdamW, states and a master copy in the host's memory");
    JAVA.put(
        new Case("offload one thread", 1, OF_EVERY_OPTIMIZER),
        "AdamW, states in the host's memory, one thread");
  }

  private final GpuTable gpu;
  private final Document.Chapter chapter = Document.Chapter.of("GPU");

  /// Panoptim's rows that are in a table of the chapter.
  private final Set<Row> shown = new LinkedHashSet<>();

  private GpuSection(GpuTable gpu) {
    this.gpu = gpu;
  }

  static Document.Chapter chapter(GpuTable gpu) {
    GpuSection section = new GpuSection(gpu);
    section.addRun();
    if (gpu.isRun()) {
      section.addOptimizers();
      section.addVariants();
      section.addSteps();
      section.addJava();
      section.addTorch();
      section.addCopies();
    }
    return section.chapter;
  }

  private void addRun() {
    Document.Table table = Document.Table.of("property", "value");
    if (gpu.isRun()) {
      Map<String, String> properties = new LinkedHashMap<>();
      for (String each : List.of(DEVICE, DRIVER, DATE, TORCH)) {
        properties.put(each, UNKNOWN);
      }
      properties.putAll(gpu.properties());
      properties.forEach((name, value) -> table.add(name, value));
    } else {
      table.add("run", NOT_RUN);
    }
    table.add("command", "`" + COMMAND + "`");
    table.add("command that adds its table `gpu.tsv`", "`" + Documents.ADD_GPU + "`");
    chapter.add(table);
  }

  private void addOptimizers() {
    Document.Table table =
        Document.Table.of(
            "optimizer",
            "bytes moved per parameter",
            "time per step",
            "quartiles",
            "share of a copy's bandwidth",
            "quartiles");
    BarChart bars =
        new BarChart(
            "gpu-limit", "Share of a device copy's bandwidth, 100,000,000 parameters", "%.1f %%");
    for (BenchedOptimizer each : BenchedOptimizer.values()) {
      Row found = show(new Case(each.label(), 1, OF_EVERY_OPTIMIZER));
      Summary percent = found.shareOfCopy().times(100);
      table.add(
          each.label(),
          bytesPerElement(found),
          time(found),
          quartiles(found),
          percent.median("%.1f %%"),
          percent.range("%.1f"));
      bars.add(each.label(), percent);
    }
    chapter.add(
        table,
        "Every optimizer, 100,000,000 parameters in one tensor. Parameters and gradients are"
            + " random, unless a case says otherwise. Share of a copy's bandwidth: bytes per second"
            + " of the step / bytes per second of a copy within the device's memory, read and"
            + " written, both measured in turn. The quartiles of a share come from those of the"
            + " time. Steps that move less than 200 MB have no share: their operands are in the"
            + " device's cache.");
    if (!bars.isEmpty()) {
      chapter.add(new Document.Picture("Bandwidth of a step / bandwidth of a device copy", bars));
    }
  }

  private void addVariants() {
    Document.Table table =
        Document.Table.of(
            "case",
            "tensors x elements",
            "time per step",
            "quartiles",
            "time per plain step",
            "case / plain step",
            "share of a copy's bandwidth");
    VARIANTS.forEach(
        (name, label) -> {
          List<Row> rows = gpu.rows(each -> each.isOf(PANOPTIM) && each.what().name().equals(name));
          if (rows.isEmpty()) {
            table.add(label, "", NOT_RUN, "", "", "", "");
          }
          for (Row each : rows) {
            shown.add(each);
            Case plain = each.what().named(ADAMW);
            table.add(
                label,
                each.what().size(),
                time(each),
                quartiles(each),
                time(gpu.row(plain, PANOPTIM)),
                gpu.ratio(each.what(), plain, PANOPTIM).median("%.2f"),
                percent(each));
          }
        });
    chapter.add(table, "AdamW in special cases, beside its plain step of the same size.");
  }

  private void addSteps() {
    Document.Table table =
        Document.Table.of(
            "case",
            "tensors x elements",
            "time",
            "quartiles",
            "bandwidth",
            "share of a copy's bandwidth");
    for (Case each : STEPS) {
      addStep(table, "AdamW", show(each));
    }
    OTHERS.forEach(
        (name, label) -> {
          List<Row> rows = gpu.rows(each -> each.isOf(PANOPTIM) && each.what().name().equals(name));
          if (rows.isEmpty()) {
            table.add(label, "", NOT_RUN, "", "", "");
          }
          rows.forEach(each -> addStep(table, label, each));
          shown.addAll(rows);
        });
    // Cases of the run that this class does not list.
    for (Row each : gpu.rows(each -> each.isOf(PANOPTIM) && !shown.contains(each))) {
      addStep(table, each.what().name(), each);
    }
    chapter.add(
        table,
        "AdamW and other operations. The fused step scales and clips gradients by their norm,"
            + " updates parameters and their moving average, writes a bfloat16 copy, and sets"
            + " gradients to 0. The query asks CUDA where one address lies.");
  }

  private static void addStep(Document.Table table, String label, Row row) {
    table.add(
        label,
        row.what().size(),
        time(row),
        quartiles(row),
        row.bandwidth().median("%,.0f GB/s"),
        percent(row));
  }

  private void addJava() {
    Document.Table table =
        Document.Table.of(
            "case",
            "tensors x elements",
            "time per step",
            "quartiles",
            "native time per step",
            "Java / native",
            "bandwidth",
            "share of a copy's bandwidth");
    Map<Case, String> labels = new LinkedHashMap<>(JAVA);
    // Cases of the run that this class does not list.
    gpu.rows(each -> each.isOf(PANOPTIM_JAVA))
        .forEach(each -> labels.putIfAbsent(each.what(), each.what().name()));
    labels.forEach(
        (what, label) -> {
          Row java = gpu.row(what, PANOPTIM_JAVA);
          Row nativeRow = gpu.row(what, PANOPTIM);
          table.add(
              label,
              what.size(),
              time(java),
              quartiles(java),
              nativeRow.isMeasured() ? time(nativeRow) : "",
              java.to(nativeRow).median("%.2f"),
              java.bandwidth().median("%,.1f GB/s"),
              percent(java));
        });
    chapter.add(
        table,
        "Steps that Java calls, beside the same kernels called by C++ without optimizer objects."
            + " Many steps are enqueued, as in a training, and then awaited once: the time is that"
            + " of a step among many. Gradients that move lie in allocations of 2 MiB that another"
            + " library has made, so each step asks CUDA about each of them. With the states in the"
            + " host's memory, the bandwidth is that of the bus: gradients down, parameters up, and"
            + " parameters down without a master copy; all processors update, unless the case says"
            + " otherwise. Before the timing, results are compared with those of the CPU.");
  }

  private void addTorch() {
    Document.Table table =
        Document.Table.of(
            "case",
            "tensors x elements",
            "PyTorch's step",
            "Panoptim's time per step",
            "PyTorch's time per step",
            "range",
            "Panoptim / PyTorch");
    Set<Case> cases = new LinkedHashSet<>(STEPS);
    gpu.rows(each -> TORCH_LIBRARIES.contains(each.library()))
        .forEach(each -> cases.add(each.what()));
    for (Case each : cases) {
      for (String library : TORCH_LIBRARIES) {
        Row other = gpu.row(each, library);
        if (other.isMeasured() || STEPS.contains(each)) {
          table.add(
              each.name(),
              each.size(),
              library.substring(TORCH.length() + 1),
              time(gpu.row(each, PANOPTIM)),
              time(other),
              quartiles(other),
              gpu.ratio(each, each, library).median("%.2f"));
        }
      }
    }
    chapter.add(
        table,
        "Beside PyTorch on the same device. Ratios are ratios of medians; below 1 Panoptim is"
            + " faster. PyTorch's step is called from Python: for small tensors, Python's time is"
            + " in PyTorch's figure. \"fused graph\" is the fused step, replayed by a CUDA graph.");
  }

  private void addCopies() {
    Document.Table table =
        Document.Table.of("case", "tensors x elements", "time per copy", "quartiles", "bandwidth");
    for (Row each : gpu.rows(each -> each.isOf(COPY))) {
      table.add(
          each.what().name(),
          each.what().size(),
          time(each),
          quartiles(each),
          each.bandwidth().median("%,.0f GB/s"));
    }
    chapter.add(table, "Copies within the device's memory; bytes read and written.");
  }

  /// Panoptim's row of a case, which is then not listed as a further case.
  private Row show(Case what) {
    Row row = gpu.row(what, PANOPTIM);
    shown.add(row);
    return row;
  }

  private static String time(Row row) {
    return row.isMeasured() ? Duration.of(row.nanos()) : NOT_RUN;
  }

  private static String quartiles(Row row) {
    return row.isMeasured() ? Duration.range(row.nanos()) : "";
  }

  /// Empty for steps whose operands may be in the device's cache, since the copy's are not.
  private static String percent(Row row) {
    return row.bytes() < LEAST_BYTES ? "" : row.shareOfCopy().times(100).median("%.1f %%");
  }

  private static String bytesPerElement(Row row) {
    double elements = (double) row.what().tensors() * row.what().elements();
    return Double.isNaN(row.bytes()) ? "" : Numbers.format("%.0f", row.bytes() / elements);
  }
}
