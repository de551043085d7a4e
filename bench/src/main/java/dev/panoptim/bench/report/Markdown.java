package dev.panoptim.bench.report;

import java.util.Collections;
import java.util.List;

/// A document as Markdown.
final class Markdown {
  private final StringBuilder text = new StringBuilder();

  private Markdown() {}

  static String of(Document document) {
    Markdown markdown = new Markdown();
    markdown.line("# " + document.title());
    for (Document.Section section : document.sections()) {
      markdown.line("");
      markdown.line("## " + section.title());
      for (Document.Part part : section.parts()) {
        markdown.line("");
        markdown.add(part);
      }
    }
    return markdown.text.toString();
  }

  private void add(Document.Part part) {
    switch (part) {
      case Document.Text words -> line(words.text());
      case Document.Picture picture ->
          line("![%s](%s)".formatted(picture.caption(), picture.file()));
      case Document.Table table -> {
        row(table.columns());
        row(Collections.nCopies(table.columns().size(), "---"));
        table.rows().forEach(this::row);
      }
    }
  }

  private void row(List<String> cells) {
    line("| " + String.join(" | ", cells) + " |");
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
