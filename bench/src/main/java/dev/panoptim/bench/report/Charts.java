package dev.panoptim.bench.report;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;

/// Charts of one look, with error bars from quartile to quartile.
final class Charts {
  private static final int DPI = 150;

  private Charts() {}

  /// A point of a line.
  record Point(double x, Summary y) {}

  static XYChart lines(String title, String x, String y) {
    XYChart chart =
        new XYChartBuilder()
            .width(900)
            .height(520)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    style(chart.getStyler());
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    return chart;
  }

  static XYChart logarithmic(String title, String x, String y) {
    XYChart chart = lines(title, x, y);
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setYAxisLogarithmic(true);
    return chart;
  }

  static void add(XYChart chart, String name, List<Point> points) {
    if (!points.isEmpty()) {
      chart.addSeries(
          name,
          points.stream().mapToDouble(Point::x).toArray(),
          points.stream().mapToDouble(each -> each.y().median()).toArray(),
          points.stream().mapToDouble(Charts::errorBar).toArray());
    }
  }

  /// A logarithmic axis has no place for a bar that reaches 0.
  private static double errorBar(Point point) {
    return Math.min(point.y().deviation(), 0.9 * point.y().median());
  }

  /// @param labels one for each bar
  static CategoryChart bars(String title, String y, List<String> labels, List<Summary> bars) {
    CategoryChart chart =
        new CategoryChartBuilder().width(900).height(520).title(title).yAxisTitle(y).build();
    style(chart.getStyler());
    chart.getStyler().setLegendVisible(false);
    chart.getStyler().setXAxisLabelRotation(40);
    chart.getStyler().setYAxisMin(0.0);
    chart.addSeries(
        "bars",
        labels,
        bars.stream().map(Summary::median).toList(),
        bars.stream().map(Summary::deviation).toList());
    return chart;
  }

  private static void style(AxesChartStyler styler) {
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 16));
    styler.setPlotGridLinesColor(new Color(0xe4e4e4));
    styler.setErrorBarsColor(new Color(0x666666));
  }

  static void save(Document.Picture picture, Path folder) throws IOException {
    BitmapEncoder.saveBitmapWithDPI(
        picture.chart(),
        folder.resolve(picture.name()).toString(),
        BitmapEncoder.BitmapFormat.PNG,
        DPI);
  }
}
