package dev.panoptim.bench.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Horizontal bars with error bars between the quartiles, as SVG. Each bar has the same height, so
/// the picture is as high as its bars need.
final class BarChart implements Image {
  private static final int LABELS_WIDTH = 330;
  private static final int BARS_WIDTH = 470;
  private static final int VALUES_WIDTH = 100;
  private static final int BAR_HEIGHT = 16;
  private static final int ROW_HEIGHT = 24;
  private static final int TITLE_HEIGHT = 40;

  private final String name;
  private final String title;
  private final String format;
  private final List<Bar> bars = new ArrayList<>();

  private record Bar(String label, Summary value) {}

  /// @param name of the file, without its ending
  /// @param format of the value beside a bar, for [String#format]
  BarChart(String name, String title, String format) {
    this.name = name;
    this.title = title;
    this.format = format;
  }

  /// Adds a bar, unless its value is unknown.
  void add(String label, Summary value) {
    if (value.isKnown()) {
      bars.add(new Bar(label, value));
    }
  }

  boolean isEmpty() {
    return bars.isEmpty();
  }

  @Override
  public String file() {
    return name + ".svg";
  }

  @Override
  public void save(Path folder) throws IOException {
    Files.writeString(folder.resolve(file()), svg());
  }

  String svg() {
    int width = LABELS_WIDTH + BARS_WIDTH + VALUES_WIDTH;
    int height = TITLE_HEIGHT + ROW_HEIGHT * bars.size() + ROW_HEIGHT / 2;
    StringBuilder svg = new StringBuilder();
    svg.append(
        Numbers.format(
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" \
            font-family="sans-serif" font-size="13" fill="#222">
            <rect width="100%%" height="100%%" fill="#fff"/>
            <text x="%d" y="24" font-size="15" font-weight="bold">%s</text>
            """,
            width, height, width, height, 8, Html.escaped(title)));
    double longest =
        bars.stream()
            .map(Bar::value)
            .mapToDouble(each -> Math.max(each.median(), each.high()))
            .max()
            .orElse(1);
    for (int i = 0; i < bars.size(); i++) {
      append(svg, bars.get(i), TITLE_HEIGHT + ROW_HEIGHT * i, BARS_WIDTH / longest);
    }
    return svg.append("</svg>\n").toString();
  }

  private void append(StringBuilder svg, Bar bar, int top, double scale) {
    int middle = top + BAR_HEIGHT / 2;
    Summary x = bar.value().times(scale);
    svg.append(
        Numbers.format(
            """
            <text x="%d" y="%d" text-anchor="end">%s</text>
            <rect x="%d" y="%d" width="%.1f" height="%d" fill="#6b9fd0"/>
            <path d="M%.1f %dH%.1f" stroke="#444" stroke-width="2"/>
            <text x="%.1f" y="%d">%s</text>
            """,
            LABELS_WIDTH - 10,
            middle + 5,
            Html.escaped(bar.label()),
            LABELS_WIDTH,
            top,
            x.median(),
            BAR_HEIGHT,
            LABELS_WIDTH + x.low(),
            middle,
            LABELS_WIDTH + x.high(),
            LABELS_WIDTH + Math.max(x.median(), x.high()) + 8,
            middle + 5,
            Numbers.format(format, bar.value().median())));
  }
}
