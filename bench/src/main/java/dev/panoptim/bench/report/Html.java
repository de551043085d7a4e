package dev.panoptim.bench.report;

import java.util.List;
import java.util.Locale;

/// A document as a page that needs nothing but its pictures beside it.
final class Html {
  private static final String STYLE =
      """
      body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2em auto; padding: 0 1em }
      h2 { margin-top: 2em; border-bottom: 1px solid #ddd }
      table { border-collapse: collapse; margin: 1em 0; display: block; overflow-x: auto }
      th, td { padding: .25em .8em; border-bottom: 1px solid #e4e4e4; text-align: left; white-space: nowrap }
      th { background: #f6f6f6 }
      td { font-variant-numeric: tabular-nums }
      figure { margin: 1.5em 0 } img { max-width: 100% } figcaption { color: #666 }
      """;

  private final StringBuilder text = new StringBuilder();

  private Html() {}

  static String of(Document document) {
    Html html = new Html();
    html.add(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>%s</title>\n",
        document.title());
    html.text.append("<style>\n").append(STYLE).append("</style>\n");
    html.add("<h1>%s</h1>\n", document.title());
    for (Document.Section section : document.sections()) {
      html.add("<h2>%s</h2>\n", section.title());
      section.parts().forEach(html::add);
    }
    return html.text.append("</html>\n").toString();
  }

  private void add(Document.Part part) {
    switch (part) {
      case Document.Text words -> add("<p>%s</p>\n", words.text());
      case Document.Picture picture ->
          add(
              "<figure><img src=\"%s\" alt=\"%s\"><figcaption>%s</figcaption></figure>\n",
              picture.file(), picture.caption(), picture.caption());
      case Document.Table table -> {
        text.append("<table>\n");
        row("th", table.columns());
        table.rows().forEach(row -> row("td", row));
        text.append("</table>\n");
      }
    }
  }

  private void row(String element, List<String> cells) {
    text.append("<tr>");
    cells.forEach(cell -> add("<" + element + ">%s</" + element + ">", cell));
    text.append("</tr>\n");
  }

  private void add(String format, String... values) {
    Object[] escaped = new Object[values.length];
    for (int i = 0; i < values.length; i++) {
      escaped[i] =
          values[i]
              .replace("&", "&amp;")
              .replace("<", "&lt;")
              .replace(">", "&gt;")
              .replace("\"", "&quot;");
    }
    text.append(String.format(Locale.ROOT, format, escaped));
  }
}
