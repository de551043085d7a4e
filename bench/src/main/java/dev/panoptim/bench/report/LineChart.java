package dev.panoptim.bench.report;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;

/// Lines through measured points, with error bars between the quartiles.
final class LineChart implements Image {
  private static final int DPI = 150;
  private static final int WIDTH = 900;
  private static final int HEIGHT = 460;

  private final String name;
  private final XYChart chart;

  /// A measured point.
  record Point(double x, Summary y) {}

  private LineChart(String name, String title, String x, String y) {
    this.name = name;
    chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    AxesChartStyler styler = chart.getStyler();
    styler.setLegendPosition(Styler.LegendPosition.OutsideE);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 16));
    styler.setPlotGridLinesColor(new Color(0xe4e4e4));
    styler.setErrorBarsColor(new Color(0x666666));
  }

  /// @param name of the file, without its ending
  static LineChart linear(String name, String title, String x, String y) {
    return new LineChart(name, title, x, y);
  }

  /// Both axes are logarithmic.
  static LineChart logarithmic(String name, String title, String x, String y) {
    LineChart chart = new LineChart(name, title, x, y);
    chart.chart.getStyler().setXAxisLogarithmic(true);
    chart.chart.getStyler().setYAxisLogarithmic(true);
    return chart;
  }

  /// Adds a line, unless it has fewer than three points, which a table shows as well.
  void add(String label, List<Point> points) {
    if (points.size() > 2) {
      chart.addSeries(
          label,
          points.stream().mapToDouble(Point::x).toArray(),
          points.stream().mapToDouble(each -> each.y().median()).toArray(),
          points.stream().mapToDouble(LineChart::errorBar).toArray());
    }
  }

  /// A logarithmic axis cannot show an error bar that reaches 0.
  private static double errorBar(Point point) {
    return Math.min(point.y().deviation(), 0.9 * point.y().median());
  }

  boolean isEmpty() {
    return chart.getSeriesCollection().isEmpty();
  }

  @Override
  public String file() {
    return name + ".png";
  }

  @Override
  public void save(Path folder) throws IOException {
    BitmapEncoder.saveBitmapWithDPI(
        chart, folder.resolve(name).toString(), BitmapEncoder.BitmapFormat.PNG, DPI);
  }
}
