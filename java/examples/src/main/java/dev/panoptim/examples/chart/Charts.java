package dev.panoptim.examples.chart;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// The common look of the programs' charts, and their files.
public final class Charts {
  private Charts() {}

  /// An empty chart on white.
  public static XYChart create(String title, int width, int height, int titleSize) {
    XYChart chart = new XYChartBuilder().width(width).height(height).title(title).build();
    chart
        .getStyler()
        .setChartBackgroundColor(Color.WHITE)
        .setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, titleSize));
    return chart;
  }

  /// Adds a line without markers.
  public static XYSeries line(
      XYChart chart, String name, double[] x, double[] y, Color color, float width) {
    XYSeries series = chart.addSeries(name, x, y);
    series.setLineColor(color);
    series.setLineStyle(new BasicStroke(width));
    series.setMarkerColor(color);
    series.setMarker(SeriesMarkers.NONE);
    return series;
  }

  /// The mean of the values up to an index: losses of single batches scatter.
  ///
  /// @param count the most values that are averaged
  public static double meanUpTo(List<Double> values, int last, int count) {
    return values.subList(Math.max(0, last - count + 1), last + 1).stream()
        .mapToDouble(Double::doubleValue)
        .average()
        .orElse(Double.NaN);
  }

  /// Writes charts into one PNG file, row by row, and creates its folder if missing.
  ///
  /// @param columns charts beside each other; divides the number of charts
  /// @throws IOException if the file cannot be written
  public static void write(List<XYChart> charts, int columns, Path file) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    try (OutputStream out = Files.newOutputStream(file)) {
      BitmapEncoder.saveBitmap(
          charts, charts.size() / columns, columns, out, BitmapEncoder.BitmapFormat.PNG);
    }
  }
}
