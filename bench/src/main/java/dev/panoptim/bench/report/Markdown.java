package dev.panoptim.bench.report;

import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/// A document as Markdown.
final class Markdown {
  private final StringBuilder text = new StringBuilder();

  private Markdown() {}

  static String of(Document document) {
    Markdown markdown = new Markdown();
    markdown.line("# " + document.title());
    for (Document.Chapter chapter : document.chapters()) {
      markdown.line("");
      markdown.line("## " + chapter.title());
      for (Document.Part part : chapter.parts()) {
        markdown.line("");
        markdown.add(part);
      }
    }
    return markdown.text.toString();
  }

  static String of(Document.Table table) {
    Markdown markdown = new Markdown();
    markdown.add(table);
    return markdown.text.toString();
  }

  private void add(Document.Part part) {
    switch (part) {
      case Document.Text words -> line(words.text());
      case Document.Picture picture ->
          line("![%s](%s)".formatted(picture.caption(), picture.image().file()));
      case Document.Table table -> {
        row(table.columns());
        row(Collections.nCopies(table.columns().size(), "---"));
        table.rows().forEach(this::row);
      }
    }
  }

  private void row(List<String> cells) {
    line(
        cells.stream()
            .map(each -> each.replace("|", "\\|"))
            .collect(Collectors.joining(" | ", "| ", " |")));
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
