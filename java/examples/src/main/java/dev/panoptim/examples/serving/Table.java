package dev.panoptim.examples.serving;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A table of text: the first column is aligned to the left, the others to the right.
///
/// Not thread-safe.
final class Table {
  private static final String GAP = "  ";

  private final List<List<String>> rows = new ArrayList<>();
  private final int columns;

  Table(List<String> headings) {
    columns = headings.size();
    rows.add(List.copyOf(headings));
  }

  void add(List<String> row) {
    if (row.size() != columns) {
      throw new IllegalArgumentException(
          "row has %s cells, but must have %s".formatted(row.size(), columns));
    }
    rows.add(List.copyOf(row));
  }

  /// With columns of equal width, for a console.
  String text() {
    List<Integer> widths =
        IntStream.range(0, columns)
            .map(i -> rows.stream().mapToInt(row -> row.get(i).length()).max().orElseThrow())
            .boxed()
            .toList();
    return rows.stream()
        .map(
            row ->
                IntStream.range(0, columns)
                    .mapToObj(i -> padded(row.get(i), widths.get(i), i == 0))
                    .collect(Collectors.joining(GAP))
                    .stripTrailing())
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private static String padded(String cell, int width, boolean left) {
    String blank = " ".repeat(width - cell.length());
    return left ? cell + blank : blank + cell;
  }

  String markdown() {
    List<String> lines = new ArrayList<>();
    rows.forEach(row -> lines.add(row.stream().collect(Collectors.joining(" | ", "| ", " |"))));
    lines.add(1, "|---|" + "---:|".repeat(columns - 1));
    return String.join("\n", lines) + "\n";
  }
}
