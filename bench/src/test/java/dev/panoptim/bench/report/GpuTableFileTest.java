package dev.panoptim.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.bench.report.GpuTable.Case;
import dev.panoptim.bench.report.GpuTable.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A table of a GPU run is read as it was written, or refused with the place of the error.
class GpuTableFileTest {
  private static final String COLUMNS = String.join("\t", GpuTableFile.COLUMNS);

  private static final String ROW = "adamw\tpanoptim\t1\t256\t4e-06\t3e-06\t5e-06\t7168\t0.5";

  private static final List<String> LINES =
      List.of("# device: GPU", "# driver: 580", "# date: 2026-01-02", COLUMNS, ROW);

  @TempDir private Path folder;

  private Path write(List<String> lines) throws IOException {
    return Files.write(folder.resolve("gpu.tsv"), lines);
  }

  /// The lines with one of them replaced.
  private Path write(int line, String text) throws IOException {
    List<String> lines = new ArrayList<>(LINES);
    lines.set(line - 1, text);
    return write(lines);
  }

  private static String refusal(Path file) {
    String message = assertThrows(IOException.class, () -> GpuTableFile.read(file)).getMessage();
    assertTrue(message.contains("gpu.tsv"), message);
    return message;
  }

  @Test
  void readsPropertiesAndRows() throws IOException {
    GpuTable table = GpuTableFile.read(write(LINES));
    assertTrue(table.isRun());
    assertEquals(
        Map.of("device", "GPU", "driver", "580", "date", "2026-01-02"), table.properties());
    Row row =
        new Row(new Case("adamw", 1, 256), "panoptim", new Summary(4e-6, 3e-6, 5e-6), 7168, 0.5);
    assertEquals(List.of(row), table.rows());
    assertEquals(0.5, row.shareOfCopy().median());
    assertEquals(0.5 * 4 / 5, row.shareOfCopy().low(), 1e-12);
    assertEquals(7168 / 4e-6 / 1e9, row.bandwidth().median(), 1e-12);
    assertFalse(table.row(row.what(), "torch fused").isMeasured());
    assertFalse(GpuTable.NONE.isRun());
  }

  @Test
  void bytesAndShareMayBeEmpty() throws IOException {
    for (String bytes : List.of("", "0")) {
      Path file = write(5, ROW.replace("7168\t0.5", bytes + "\t"));
      Row row = GpuTableFile.read(file).rows().getFirst();
      assertFalse(row.bandwidth().isKnown());
      assertFalse(row.shareOfCopy().isKnown());
    }
  }

  /// As if the outputs of two programs were joined.
  @Test
  void readsJoinedTables() throws IOException {
    List<String> lines = new ArrayList<>(LINES);
    lines.addAll(LINES.subList(0, 4));
    lines.addAll(List.of("# left out: a", "# left out: b", ROW.replace("256", "512")));
    GpuTable table = GpuTableFile.read(write(lines));
    assertEquals(2, table.rows().size());
    assertEquals("GPU", table.properties().get("device"));
    assertEquals("a; b", table.properties().get("left out"));
  }

  private static String section(GpuTable table) {
    return Markdown.of(Report.document("title", new Measurements(List.of()), table));
  }

  @Test
  void readsTheSameInEveryLocale() throws IOException {
    GpuTable expected = GpuTableFile.read(GpuTables.file());
    String section = section(expected);
    Locale before = Locale.getDefault();
    try {
      for (String each : List.of("de-DE", "ar-EG-u-nu-arab", "hi-IN-u-nu-deva")) {
        Locale.setDefault(Locale.forLanguageTag(each));
        GpuTable table = GpuTableFile.read(GpuTables.file());
        assertEquals(expected, table, each);
        assertEquals(section, section(table), each);
      }
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void aMissingFileIsNamed() {
    assertTrue(refusal(folder.resolve("gpu.tsv")).contains("there is no such file"));
  }

  @Test
  void aFileThatIsNotTextIsNamed() throws IOException {
    Path file = Files.write(folder.resolve("gpu.tsv"), new byte[] {'#', ' ', (byte) 0xFF});
    assertTrue(refusal(file).contains("is not text in UTF-8"));
  }

  @ParameterizedTest
  @CsvSource({
    "0, -, cells",
    "0, '', case",
    "1, torch, library",
    "1, Panoptim, library",
    "2, 0, tensors",
    "2, '', tensors",
    "3, -256, elements",
    "3, 2.5, elements",
    "3, 99999999999999999999, elements",
    "4, '', seconds",
    "4, '4,0', seconds",
    "4, NaN, seconds",
    "4, 0, seconds",
    "4, 4e-6s, seconds",
    "5, 4.1e-06, low",
    "5, -1e-06, low",
    "6, 3.9e-06, high",
    "6, Infinity, high",
    "6, 1e999, high",
    "7, -1, bytes",
    "7, many, bytes",
    "8, 95 %, share",
    "8, -0.95, share",
  })
  void aMalformedCellIsNamed(int column, String value, String name) throws IOException {
    String[] cells = ROW.split("\t");
    cells[column] = value;
    String line = String.join("\t", cells);
    String message = refusal(write(5, name.equals("cells") ? value : line));
    assertTrue(message.contains("line 5: " + name + ": \"" + value + "\""), message);
  }

  @Test
  void aMalformedLineIsNamed() throws IOException {
    assertTrue(refusal(write(4, ROW)).contains("line 4: columns: \"adamw\t"));
    assertTrue(refusal(write(2, "#driver")).contains("line 2: property: \"#driver\""));
    assertTrue(refusal(write(3, "# date: 2.1.2026")).contains("line 3: date: \"2.1.2026\""));
    assertTrue(refusal(write(5, ROW + "\t")).contains("line 5: cells: \"adamw\t"));
  }

  @Test
  void aCaseIsMeasuredOnce() throws IOException {
    List<String> lines = new ArrayList<>(LINES);
    lines.add(ROW);
    assertTrue(refusal(write(lines)).contains("line 6: case: \"adamw\" is also in line 5"));
  }

  @Test
  void aMissingPropertyIsNamed() throws IOException {
    assertTrue(refusal(write(1, "# other: x")).contains("\"# device: ...\""));
    assertTrue(refusal(write(3, "# other: x")).contains("\"# date: ...\""));
  }

  @Test
  void aTableWithoutRowsIsRefused() throws IOException {
    assertTrue(refusal(write(LINES.subList(0, 4))).contains("no measured case"));
    assertTrue(refusal(write(LINES.subList(0, 3))).contains("no line with the columns"));
    assertTrue(refusal(write(List.of())).contains("# device: ..."));
  }
}
