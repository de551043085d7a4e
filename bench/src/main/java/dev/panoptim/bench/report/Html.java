package dev.panoptim.bench.report;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A document as an HTML page that needs only its images beside it.
final class Html {
  /// Tables are as wide as their contents, but no wider than the page. Long texts are wrapped, very
  /// long words too. Numbers and their units stay on one line.
  private static final String STYLE =
      """
      body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2em auto; padding: 0 1em }
      h2 { margin-top: 2em; border-bottom: 1px solid #ddd }
      table { border-collapse: collapse; margin: 1em 0; max-width: 100% }
      th, td { padding: .25em .7em; border-bottom: 1px solid #e4e4e4; text-align: left; vertical-align: top }
      th { background: #f6f6f6 }
      td.number { white-space: nowrap; font-variant-numeric: tabular-nums }
      td.long { overflow-wrap: anywhere }
      td.missed { color: #b00020; font-weight: bold }
      p, h1, h2 { overflow-wrap: anywhere }
      figure { margin: 1.5em 0 } img { max-width: min(100%, 900px); height: auto } figcaption { color: #666 }
      @media (max-width: 1000px) { table { font-size: 80% } th, td { padding: .2em .3em; overflow-wrap: anywhere } td.number { white-space: normal } }
      """;

  private static final Pattern LONG_WORD = Pattern.compile("\\S{40}");

  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  private static final Pattern NUMBER = Pattern.compile("(at (most|least) )?[0-9].{0,22}");

  private final StringBuilder text = new StringBuilder();

  private Html() {}

  static String of(Document document) {
    Html html = new Html();
    html.add(
        """
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>%s</title>
        """,
        document.title());
    html.text.append("<style>\n").append(STYLE).append("</style>\n");
    html.add("<h1>%s</h1>\n", document.title());
    for (Document.Chapter chapter : document.chapters()) {
      html.add("<h2>%s</h2>\n", chapter.title());
      chapter.parts().forEach(html::add);
    }
    return html.text.append("</html>\n").toString();
  }

  private void add(Document.Part part) {
    switch (part) {
      case Document.Text words -> add("<p>%s</p>\n", words.text());
      case Document.Picture picture ->
          add(
              "<figure><img src=\"%s\" alt=\"%s\"><figcaption>%s</figcaption></figure>\n",
              picture.image().file(), picture.caption(), picture.caption());
      case Document.Table table -> {
        text.append("<table>\n<tr>");
        table.columns().forEach(each -> add("<th>%s</th>", each));
        text.append("</tr>\n");
        table.rows().forEach(this::addRow);
        text.append("</table>\n");
      }
    }
  }

  private void addRow(List<String> cells) {
    text.append("<tr>");
    for (String each : cells) {
      String kind = kind(each);
      Matcher code = CODE.matcher(each);
      boolean isCode = code.matches();
      add(
          (kind.isEmpty() ? "<td>" : "<td class=\"" + kind + "\">")
              + (isCode ? "<code>%s</code></td>" : "%s</td>"),
          isCode ? code.group(1) : each);
    }
    text.append("</tr>\n");
  }

  private static String kind(String cell) {
    if (cell.equals(Targets.MISSED)) {
      return "missed";
    }
    if (LONG_WORD.matcher(cell).find()) {
      return "long";
    }
    return NUMBER.matcher(cell).matches() ? "number" : "";
  }

  private void add(String format, String... values) {
    Object[] escaped = new Object[values.length];
    for (int i = 0; i < values.length; i++) {
      escaped[i] = escaped(values[i]);
    }
    text.append(String.format(Locale.ROOT, format, escaped));
  }

  /// The text with the characters replaced that HTML and XML reserve.
  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
