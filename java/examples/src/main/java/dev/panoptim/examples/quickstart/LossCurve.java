package dev.panoptim.examples.quickstart;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// The losses of a training run over its steps, as a picture.
final class LossCurve {
  private static final int SMOOTHED_OVER = 50;

  private final List<Double> training = new ArrayList<>();
  private final List<Double> validationSteps = new ArrayList<>();
  private final List<Double> validation = new ArrayList<>();

  private final int stepsBefore;

  private final String subtitle;

  /// @param stepsBefore that an earlier run made
  /// @param subtitle what is trained with
  LossCurve(int stepsBefore, String subtitle) {
    this.stepsBefore = stepsBefore;
    this.subtitle = subtitle;
  }

  void addTraining(double bits) {
    training.add(bits);
  }

  void addValidation(double bits) {
    validationSteps.add((double) stepsBefore + training.size());
    validation.add(bits);
  }

  /// The mean of the last training losses: single batches scatter.
  double recentTraining() {
    return mean(training.size() - 1);
  }

  private double mean(int last) {
    int first = Math.max(0, last - SMOOTHED_OVER + 1);
    return training.subList(first, last + 1).stream()
        .mapToDouble(Double::doubleValue)
        .average()
        .orElse(Double.NaN);
  }

  /// Checks before a training what would be bitter to learn after it; makes the folder.
  ///
  /// @throws IllegalArgumentException if the picture cannot be written there
  static void requireWritable(Path file) {
    Path absolute = file.toAbsolutePath();
    try {
      if (Files.isDirectory(absolute)) {
        throw new IllegalArgumentException("--out is the folder " + absolute + ", not a file");
      }
      Files.createDirectories(absolute.getParent());
    } catch (IOException e) {
      throw new IllegalArgumentException("--out " + file + " cannot be written: " + e, e);
    }
    if (!Files.isWritable(Files.exists(absolute) ? absolute : absolute.getParent())) {
      throw new IllegalArgumentException("--out " + file + " cannot be written");
    }
  }

  /// @throws IllegalArgumentException if the file cannot be written
  void save(Path file) {
    XYChart chart =
        new XYChartBuilder()
            .width(1200)
            .height(700)
            .title("Byte-level language model: " + subtitle)
            .xAxisTitle("step")
            .yAxisTitle("bits per byte")
            .build();
    chart
        .getStyler()
        .setChartBackgroundColor(Color.WHITE)
        .setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 20))
        .setLegendPosition(Styler.LegendPosition.InsideNE);
    chart.getStyler().setPlotGridLinesColor(new Color(0xe4e4e4));
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setXAxisMin((double) stepsBefore);
    add(chart, "one batch", steps(), training, new Color(0xc9dcf2), 1f);
    List<Double> smooth = new ArrayList<>();
    for (int i = 0; i < training.size(); i++) {
      smooth.add(mean(i));
    }
    add(chart, "mean of " + SMOOTHED_OVER + " batches", steps(), smooth, new Color(0x1f5fa8), 2.5f);
    add(chart, "held-out text", validationSteps, validation, new Color(0xd9541e), 2f)
        .setMarker(SeriesMarkers.CIRCLE);
    try {
      try (OutputStream out = Files.newOutputStream(file)) {
        BitmapEncoder.saveBitmap(chart, out, BitmapEncoder.BitmapFormat.PNG);
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "--out " + file + " cannot be written: " + e.getMessage(), e);
    }
  }

  private List<Double> steps() {
    List<Double> steps = new ArrayList<>();
    for (int i = 1; i <= training.size(); i++) {
      steps.add((double) stepsBefore + i);
    }
    return steps;
  }

  private static XYSeries add(
      XYChart chart, String name, List<Double> x, List<Double> y, Color color, float width) {
    XYSeries series = chart.addSeries(name, x, y);
    series.setLineColor(color);
    series.setLineStyle(new BasicStroke(width));
    series.setMarkerColor(color);
    series.setMarker(SeriesMarkers.NONE);
    return series;
  }
}
