package dev.panoptim.bench.report;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Reads the figures of a run on a GPU: a table with tabs between cells.
///
/// The file has lines `# key: value` for the properties of the run, a line with the names of the
/// columns, and a line for each measured case. Properties may follow rows, and values of a repeated
/// key are joined. The line of columns may be repeated: several programs write one file. `seconds`,
/// `low` and `high` are the median and the quartiles. `bytes` and `share` may be empty. A case that
/// was not measured has no line.
final class GpuTableFile {
  static final List<String> COLUMNS =
      List.of("case", "library", "tensors", "elements", "seconds", "low", "high", "bytes", "share");

  private static final List<String> LIBRARIES =
      Stream.concat(
              Stream.of(GpuTable.PANOPTIM, GpuTable.PANOPTIM_JAVA, GpuTable.COPY),
              GpuTable.TORCH_LIBRARIES.stream())
          .toList();

  private static final Pattern PROPERTY = Pattern.compile("# *([^:]*[^: ]) *: *(.*\\S) *");

  private static final Pattern DATE = Pattern.compile("20\\d\\d-\\d\\d-\\d\\d.*");

  private final Path file;
  private final Map<String, String> properties = new LinkedHashMap<>();
  private final List<GpuTable.Row> rows = new ArrayList<>();
  private final Map<List<Object>, Integer> lineNumbers = new HashMap<>();
  private boolean hasColumns;
  private int number;

  private GpuTableFile(Path file) {
    this.file = file;
  }

  /// @throws IOException if the file is missing, cannot be read, or holds something else. The
  ///   message names the file, the line and the value.
  static GpuTable read(Path file) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (NoSuchFileException e) {
      throw new IOException(file + ": there is no such file; it should be a table of a GPU run", e);
    } catch (CharacterCodingException e) {
      throw new IOException(file + ": is not text in UTF-8", e);
    }
    GpuTableFile reader = new GpuTableFile(file);
    for (String each : lines) {
      reader.number++;
      reader.add(each);
    }
    return reader.table();
  }

  private GpuTable table() throws IOException {
    require(GpuTable.DEVICE);
    require(GpuTable.DATE);
    if (!hasColumns) {
      throw new IOException(file + ": has no line with the columns " + COLUMNS);
    }
    if (rows.isEmpty()) {
      throw new IOException(file + ": has no measured case");
    }
    return new GpuTable(properties, rows);
  }

  private void require(String property) throws IOException {
    if (!properties.containsKey(property)) {
      throw new IOException("%s: has no line \"# %s: ...\"".formatted(file, property));
    }
  }

  private void add(String line) throws IOException {
    if (line.startsWith("#")) {
      addProperty(line);
    } else if (List.of(line.split("\t", -1)).equals(COLUMNS)) {
      hasColumns = true;
    } else if (!hasColumns) {
      throw malformed("columns", line, "must be " + COLUMNS);
    } else if (!line.isBlank()) {
      addRow(line);
    }
  }

  private void addProperty(String line) throws IOException {
    Matcher property = PROPERTY.matcher(line);
    check(property.matches(), "property", line, "must be \"# key: value\"");
    String name = property.group(1);
    String value = property.group(2);
    properties.merge(
        name, value, (before, more) -> before.equals(more) ? more : before + "; " + more);
    check(
        !name.equals(GpuTable.DATE) || DATE.matcher(value).matches(),
        name,
        value,
        "must begin like 2026-01-31");
  }

  private void addRow(String line) throws IOException {
    String[] cells = line.split("\t", -1);
    check(cells.length == COLUMNS.size(), "cells", line, "must be " + COLUMNS.size());
    check(!cells[0].isBlank(), "case", cells[0], "must have a name");
    check(LIBRARIES.contains(cells[1]), "library", cells[1], "must be one of " + LIBRARIES);
    GpuTable.Case what = new GpuTable.Case(cells[0], count(cells, 2), count(cells, 3));
    Summary seconds = new Summary(positive(cells, 4), positive(cells, 5), positive(cells, 6));
    check(seconds.low() <= seconds.median(), "low", cells[5], "must be at most seconds");
    check(seconds.median() <= seconds.high(), "high", cells[6], "must be at least seconds");
    Integer before = lineNumbers.putIfAbsent(List.of(what, cells[1]), number);
    check(before == null, "case", cells[0], "is also in line " + before);
    double bytes = optional(cells, 7);
    rows.add(
        new GpuTable.Row(
            what, cells[1], seconds, bytes == 0 ? Double.NaN : bytes, optional(cells, 8)));
  }

  private long count(String[] cells, int column) throws IOException {
    try {
      long value = Long.parseLong(cells[column]);
      check(value > 0, COLUMNS.get(column), cells[column], "must be positive");
      return value;
    } catch (NumberFormatException e) {
      throw malformed(COLUMNS.get(column), cells[column], "must be a whole number");
    }
  }

  private double optional(String[] cells, int column) throws IOException {
    return cells[column].isEmpty() ? Double.NaN : finite(cells, column);
  }

  private double positive(String[] cells, int column) throws IOException {
    double value = finite(cells, column);
    check(value > 0, COLUMNS.get(column), cells[column], "must be positive");
    return value;
  }

  private double finite(String[] cells, int column) throws IOException {
    try {
      // Refuses NaN, infinities and suffixes, which Double.parseDouble reads.
      double value = new BigDecimal(cells[column]).doubleValue();
      check(
          value >= 0 && Double.isFinite(value),
          COLUMNS.get(column),
          cells[column],
          "must be at least 0 and finite");
      return value;
    } catch (NumberFormatException e) {
      throw malformed(COLUMNS.get(column), cells[column], "must be a number");
    }
  }

  private void check(boolean holds, String name, String value, String bound) throws IOException {
    if (!holds) {
      throw malformed(name, value, bound);
    }
  }

  private IOException malformed(String name, String value, String bound) {
    return new IOException(
        "%s, line %s: %s: \"%s\" %s".formatted(file, number, name, value, bound));
  }
}
