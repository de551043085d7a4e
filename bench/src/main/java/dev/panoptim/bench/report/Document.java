package dev.panoptim.bench.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The contents of a report, independent of the format in which they are written.
record Document(String title, List<Chapter> chapters) {
  /// Tables, texts and pictures under one heading.
  record Chapter(String title, List<Part> parts) {
    static Chapter of(String title) {
      return new Chapter(title, new ArrayList<>());
    }

    void add(Part part) {
      parts.add(part);
    }

    /// Adds a table and its explanations; adds nothing if the table has no rows.
    void add(Table table, String... texts) {
      if (!table.rows().isEmpty()) {
        for (String each : texts) {
          parts.add(new Text(each));
        }
        parts.add(table);
      }
    }

    boolean isEmpty() {
      return parts.stream().allMatch(Text.class::isInstance);
    }
  }

  sealed interface Part {}

  record Text(String text) implements Part {}

  /// @param rows each with one cell per column
  record Table(List<String> columns, List<List<String>> rows) implements Part {
    static Table of(String... columns) {
      return of(List.of(columns));
    }

    static Table of(List<String> columns) {
      return new Table(columns, new ArrayList<>());
    }

    void add(String... cells) {
      add(Arrays.asList(cells));
    }

    /// @throws IllegalArgumentException if the number of cells is not the number of columns
    void add(List<String> cells) {
      if (cells.size() != columns.size()) {
        throw new IllegalArgumentException(
            "row: %s has %s cells, but the table has the %s columns %s"
                .formatted(cells, cells.size(), columns.size(), columns));
      }
      rows.add(List.copyOf(cells));
    }
  }

  record Picture(String caption, Image image) implements Part {}

  List<Image> images() {
    return chapters.stream()
        .flatMap(chapter -> chapter.parts().stream())
        .filter(Picture.class::isInstance)
        .map(each -> ((Picture) each).image())
        .toList();
  }

  /// A copy that is text alone, for a place where no images are stored.
  Document withoutPictures() {
    return new Document(
        title,
        chapters.stream()
            .map(
                each ->
                    new Chapter(
                        each.title(),
                        each.parts().stream().filter(part -> !(part instanceof Picture)).toList()))
            .toList());
  }
}
