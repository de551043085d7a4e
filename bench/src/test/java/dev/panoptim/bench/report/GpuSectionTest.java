package dev.panoptim.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.bench.BenchedOptimizer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The chapter, the targets and the figure of a run on a GPU, and what is shown without one.
class GpuSectionTest {
  private static final Measurements NO_CPU = new Measurements(List.of());

  private static GpuTable table() throws IOException {
    return GpuTableFile.read(GpuTables.file());
  }

  private static String markdown(GpuTable gpu) {
    return Markdown.of(Report.document("title", NO_CPU, gpu));
  }

  private static void assertLines(String text, String... lines) {
    List<String> all = text.lines().toList();
    for (String each : lines) {
      assertTrue(all.contains(each), each + " is not in\n" + text);
    }
  }

  @Test
  void withoutARunSaysSo() {
    String text = markdown(GpuTable.NONE);
    assertLines(text, "## GPU", "| run | not run |", "| command | `scripts/gpu/card.sh` |");
    assertFalse(text.contains("copy's bandwidth"), text);
    assertEquals(List.of(), Targets.of(new Results(NO_CPU), GpuTable.NONE));
    assertEquals(List.of(), Figures.table(NO_CPU, GpuTable.NONE).rows());
  }

  @Test
  void namesTheMachine() throws IOException {
    assertLines(
        markdown(table()),
        "| device | Test GPU 80GB, compute capability 9.0 |",
        "| driver | 580.65.06 |",
        "| date | 2026-01-02 |",
        "| torch | 2.11.0+cu130 |",
        "| left out | (1, 1000000); (1, 256) |",
        "| command | `scripts/gpu/card.sh` |");
  }

  @Test
  void namesWhatIsUnknown() {
    GpuTable gpu = new GpuTable(Map.of("device", "GPU", "date", "2026-01-02"), List.of());
    assertLines(markdown(gpu), "| device | GPU |", "| driver | unknown |", "| torch | unknown |");
  }

  @Test
  void hasEveryOptimizer() throws IOException {
    String text = markdown(table());
    assertLines(
        text,
        "| sgd | 12 | 400.0 us | 390.0 to 410.0 | 101.0 % | 98.5 to 103.6 |",
        "| adamw | 28 | 1.00 ms | 0.80 to 1.25 | 95.0 % | 76.0 to 118.8 |");
    for (BenchedOptimizer each : BenchedOptimizer.values()) {
      if (each != BenchedOptimizer.SGD && each != BenchedOptimizer.ADAMW) {
        assertLines(text, "| " + each.label() + " |  | not run |  |  |  |");
      }
    }
  }

  @Test
  void hasEveryCase() throws IOException {
    assertLines(
        markdown(table()),
        "| separate coefficients for each tensor | 10,000 x 10,000 | 1.50 ms | 1.40 to 1.60 | 1.20"
            + " ms | 1.25 | 80.0 % |",
        "| unaligned tensors | 1 x 100,000,000 | 1.10 ms | 1.10 to 1.10 | 1.00 ms | 1.10 | 90.0 %"
            + " |",
        "| parameters and gradients are 0 | 1 x 1,000,000 | 20.0 us | 20.0 to 20.0 | not run |  | "
            + " |",
        "| AdamW | 1 x 1,000,000,000 | 10.0 ms | 9.9 to 10.2 | 2,800 GB/s | 96.0 % |",
        "| AdamW | 1 x 1,000,000 | not run |  |  |  |",
        "| AdamW | 1 x 256 | 4.00 us | 3.90 to 4.10 | 2 GB/s |  |",
        "| AdamW | 10,000 x 10,000 | 1.20 ms | 1.10 to 1.30 | 2,333 GB/s | 90.0 % |",
        "| AdamW, fused step | 1 x 100,000,000 | 2.00 ms | 2.00 to 2.00 | 2,300 GB/s | 91.0 % |",
        "| norm of the gradients | 1 x 1,000,000 | 20.0 us | 20.0 to 20.0 | 200 GB/s |  |",
        "| norm of the gradients | 1 x 1,000,000,000 | 2.00 ms | 2.00 to 2.00 | 2,000 GB/s | 80.0 %"
            + " |",
        "| query of an address | 1 x 1 | 48.9 ns | 48.3 to 51.0 |  |  |",
        "| adamw six blocks | 1 x 100,000,000 | 990.0 us | 990.0 to 990.0 | 2,828 GB/s | 95.5 % |",
        "| copy | 1 x 1,000,000,000 | 2.80 ms | 2.70 to 2.90 | 2,857 GB/s |");
  }

  @Test
  void comparesStepsFromJavaWithNativeSteps() throws IOException {
    String text = markdown(table());
    assertLines(
        text,
        "| AdamW | 1 x 256 | 8.00 us | 7.00 to 9.00 | 4.00 us | 2.00 | 0.9 GB/s |  |",
        "| AdamW | 1 x 1,000,000 | not run |  |  |  |  |  |",
        "| AdamW | 1 x 100,000,000 | not run |  | 1.00 ms |  |  |  |",
        "| AdamW | 10,000 x 10,000 | 1.80 ms | 1.70 to 1.90 | 1.20 ms | 1.50 | 1,555.6 GB/s | 60.0"
            + " % |",
        "| AdamW, gradients move at each step | 10,000 x 10,000 | not run |  |  |  |  |  |",
        "| AdamW, fused step | 1 x 100,000,000 | 2.10 ms | 2.10 to 2.10 | 2.00 ms | 1.05 | 2,190.5"
            + " GB/s | 87.0 % |",
        "| AdamW, states in the host's memory | 1 x 100,000,000 | 50.0 ms | 40.0 to 60.0 |  |  |"
            + " 24.0 GB/s |  |",
        "| AdamW, states and a master copy in the host's memory | 1 x 100,000,000 | not run |  |  |"
            + "  |  |  |",
        "| AdamW, states in the host's memory, one thread | 1 x 100,000,000 | not run |  |  |  |  |"
            + "  |",
        "| adamw | 100 x 10,000 | 10.0 us | 10.0 to 10.0 |  |  | 2,800.0 GB/s |  |",
        "| heap bytes per step in Java | adamw 1 x 256 = 2; offload 1 x 100000000 = 4000 |");
  }

  @Test
  void comparesWithPyTorch() throws IOException {
    String text = markdown(table());
    assertLines(
        text,
        "| adamw | 1 x 1,000,000,000 | fused | 10.0 ms | 10.5 ms | 10.4 to 10.6 | 0.95 |",
        "| adamw | 1 x 1,000,000,000 | foreach | 10.0 ms | 40.0 ms | 40.0 to 40.0 | 0.25 |",
        "| adamw | 1 x 1,000,000,000 | fused graph | 10.0 ms | not run |  |  |",
        "| adamw | 1 x 1,000,000 | fused | not run | not run |  |  |",
        "| adamw | 1 x 256 | fused graph | 4.00 us | 8.00 us | 8.00 to 8.00 | 0.50 |",
        "| adamw | 10,000 x 10,000 | fused | 1.20 ms | 1.00 ms | 1.00 to 1.00 | 1.20 |",
        "| sgd | 1 x 100,000,000 | fused | 400.0 us | 500.0 us | 500.0 to 500.0 | 0.80 |");
    assertTrue(text.contains("Python's time"), text);
    assertFalse(text.contains("NaN"), text);
  }

  /// The chapter changes if any row of the table is removed.
  @Test
  void everyRowIsShown() throws IOException {
    GpuTable one = table();
    for (GpuTable.Row each : one.rows()) {
      String without =
          markdown(new GpuTable(one.properties(), one.rows(other -> !other.equals(each))));
      assertFalse(without.equals(markdown(one)), each + " is not shown");
    }
  }

  @Test
  void hasTargets() throws IOException {
    assertEquals(
        List.of(
            new Targets.Target(
                "GPU, AdamW, 1,000,000,000 parameters: bandwidth / bandwidth of a device copy",
                "at least 0.95",
                "0.960",
                true),
            new Targets.Target(
                "GPU, AdamW, 1 x 1,000,000,000 elements: Panoptim / PyTorch, fused: time per step",
                "at most 1.000",
                "0.952",
                true),
            new Targets.Target(
                "GPU, AdamW, 10,000 x 10,000 elements: Panoptim / PyTorch, fused: time per step",
                "at most 1.000",
                "1.200",
                false)),
        Targets.of(new Results(NO_CPU), table()));
  }

  @Test
  void targetsOfSkippedCasesAreLeftOut() throws IOException {
    GpuTable one = table();
    GpuTable small =
        new GpuTable(one.properties(), one.rows(each -> each.what().elements() == 256));
    assertEquals(List.of(), Targets.of(new Results(NO_CPU), small));
    assertEquals(List.of(), Figures.table(NO_CPU, small).rows());
  }

  @Test
  void hasAFigureForTheReadme() throws IOException {
    assertEquals(
        List.of(
            List.of(
                "AdamW, 1,000,000,000 parameters, Test GPU 80GB: bandwidth / bandwidth of a device"
                    + " copy",
                "0.96",
                "0.94 to 0.97",
                "`scripts/gpu/card.sh`")),
        Figures.table(NO_CPU, table()).rows());
  }

  @Test
  void hasAChart() throws IOException {
    List<String> files =
        Report.document("title", NO_CPU, table()).images().stream().map(Image::file).toList();
    assertEquals(List.of("gpu-limit.svg"), files);
  }
}
