package dev.panoptim.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.bench.GpuMain;
import dev.panoptim.device.Device;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The rows of steps that Java calls are read as a part of the table of a run.
class GpuRowsTest {
  private static final int ELEMENTS = 256;

  @Test
  void printedRowsAreRead(@TempDir Path folder) throws IOException {
    assumeTrue(Device.cudaCount() > 0, Device::whyNoCuda);
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      PrintStream to = new PrintStream(printed, true, StandardCharsets.UTF_8);
      String[] arguments = {"--most", Integer.toString(ELEMENTS), "--rounds", "1"};
      assertTrue(GpuMain.measure(arguments, to));
    } finally {
      Locale.setDefault(before);
    }
    String text = "# date: 2026-01-02\n" + printed.toString(StandardCharsets.UTF_8);
    GpuTable table = GpuTableFile.read(Files.writeString(folder.resolve("gpu.tsv"), text));
    assertTrue(Device.cuda(0).describe().startsWith(table.properties().get("device")), text);
    assertEquals(
        List.of(
            "adamw",
            "adamw moving gradients",
            "adamw fused",
            "offload",
            "offload master copy",
            "offload one thread"),
        table.rows().stream().map(each -> each.what().name()).toList());
    for (GpuTable.Row each : table.rows()) {
      String name = each.what().name();
      assertEquals("panoptim java", each.library());
      assertEquals(1, each.what().tensors());
      assertEquals(ELEMENTS, each.what().elements());
      boolean offloads = name.startsWith("offload");
      int bytes =
          switch (name) {
            case "offload", "offload one thread" -> 12;
            case "offload master copy" -> 8;
            case "adamw fused" -> 46;
            default -> 28;
          };
      assertEquals(bytes * ELEMENTS, each.bytes());
      assertEquals(!offloads, each.share() > 0, name);
      // More than a downcall takes, and less than the time of the whole test.
      double seconds = each.seconds().median();
      assertTrue(seconds > 1e-8 && seconds < 100, text);
      String heap = table.properties().get(GpuRows.HEAP_BYTES);
      assertTrue(heap.contains(name + " 1 x 256 = "), heap);
    }
  }

  @Test
  void malformedArgumentsAreNamed() {
    for (String[] each :
        new String[][] {{"--most"}, {"--most", "0"}, {"--rounds", "1.5"}, {"--least", "1"}}) {
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> GpuMain.measure(each, System.out));
      assertTrue(refused.getMessage().contains(each[0]), refused.getMessage());
    }
  }
}
