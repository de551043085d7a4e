package dev.panoptim.bench.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.knowm.xchart.internal.chartpart.Chart;

/// A report before it is written in one form or the other.
record Document(String title, List<Section> sections) {
  /// Some tables and pictures under one heading.
  record Section(String title, List<Part> parts) {
    static Section of(String title) {
      return new Section(title, new ArrayList<>());
    }

    void add(Part part) {
      parts.add(part);
    }

    /// A table; nothing where it has no rows.
    void add(Table table) {
      add(table, new String[0]);
    }

    /// A table and what is to be said of it; nothing where it has no rows.
    void add(Table table, String... texts) {
      if (!table.rows().isEmpty()) {
        parts.add(table);
        for (String each : texts) {
          parts.add(new Text(each));
        }
      }
    }

    boolean isEmpty() {
      return parts.stream().allMatch(Text.class::isInstance);
    }
  }

  sealed interface Part {}

  record Text(String text) implements Part {}

  /// @param rows as many cells each as there are columns
  record Table(List<String> columns, List<List<String>> rows) implements Part {
    static Table of(String... columns) {
      return new Table(List.of(columns), new ArrayList<>());
    }

    void add(String... cells) {
      if (cells.length != columns.size()) {
        throw new IllegalArgumentException(
            "%s cells for the columns %s: %s"
                .formatted(cells.length, columns, Arrays.toString(cells)));
      }
      rows.add(List.of(cells));
    }
  }

  /// @param name of its file, without the ending
  record Picture(String name, String caption, Chart<?, ?> chart) implements Part {
    String file() {
      return name + ".png";
    }
  }

  List<Picture> pictures() {
    return sections.stream()
        .flatMap(section -> section.parts().stream())
        .filter(Picture.class::isInstance)
        .map(Picture.class::cast)
        .toList();
  }
}
