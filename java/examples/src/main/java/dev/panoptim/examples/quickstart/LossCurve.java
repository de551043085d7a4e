package dev.panoptim.examples.quickstart;

import dev.panoptim.examples.chart.Charts;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// The losses of a training run by step, and their chart.
///
/// Not thread-safe.
final class LossCurve {
  private static final int SMOOTHED_OVER = 50;

  private static final Color ONE_BATCH = new Color(0xc9dcf2);
  private static final Color SMOOTHED = new Color(0x1f5fa8);
  private static final Color HELD_OUT = new Color(0xd9541e);

  private final List<Double> training = new ArrayList<>();
  private final List<Double> validationSteps = new ArrayList<>();
  private final List<Double> validation = new ArrayList<>();

  private final int stepsBefore;

  private final String subtitle;

  /// @param stepsBefore number of steps that an earlier run made
  /// @param subtitle optimizer and backend
  LossCurve(int stepsBefore, String subtitle) {
    this.stepsBefore = stepsBefore;
    this.subtitle = subtitle;
  }

  /// Adds the loss of the next step, in bits per byte.
  void addTraining(double bits) {
    training.add(bits);
  }

  /// Adds the loss of the held-out text after the steps so far, in bits per byte.
  void addValidation(double bits) {
    validationSteps.add((double) stepsBefore + training.size());
    validation.add(bits);
  }

  /// The mean of the last training losses, because losses of single batches scatter.
  double recentTraining() {
    return mean(training.size() - 1);
  }

  private double mean(int last) {
    return Charts.meanUpTo(training, last, SMOOTHED_OVER);
  }

  /// Checks that the chart can be written, before minutes of training, and creates its folder.
  ///
  /// @throws IllegalArgumentException if the chart cannot be written there
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
    try {
      Charts.write(List.of(chart()), 1, file);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "--out " + file + " cannot be written: " + e.getMessage(), e);
    }
  }

  XYChart chart() {
    XYChart chart = Charts.create("Byte-level language model: " + subtitle, 1200, 700, 20);
    chart.setXAxisTitle("step");
    chart.setYAxisTitle("bits per byte");
    chart.getStyler().setLegendPosition(Styler.LegendPosition.InsideNE);
    chart.getStyler().setPlotGridLinesColor(new Color(0xe4e4e4));
    chart.getStyler().setYAxisMin(0.0);
    setTicks(chart);
    double[] steps =
        IntStream.rangeClosed(1, training.size()).mapToDouble(i -> stepsBefore + i).toArray();
    double[] smooth = IntStream.range(0, training.size()).mapToDouble(this::mean).toArray();
    Charts.line(chart, "one batch", steps, array(training), ONE_BATCH, 1f);
    Charts.line(chart, "mean of " + SMOOTHED_OVER + " batches", steps, smooth, SMOOTHED, 2.5f);
    Charts.line(chart, "held-out text", array(validationSteps), array(validation), HELD_OUT, 2f)
        .setMarker(SeriesMarkers.CIRCLE);
    return chart;
  }

  /// Sets the ends of the x axis so that its ticks are round numbers.
  ///
  /// The chart library labels some of the given steps, such as every 116th, if all of them and both
  /// ends of the axis have the same distance. An end half a step later avoids that: the ticks are
  /// then 1, 2 or 5 times a power of ten apart.
  private void setTicks(XYChart chart) {
    chart.getStyler().setXAxisMin((double) stepsBefore);
    chart.getStyler().setXAxisMax(stepsBefore + training.size() + 0.5);
  }

  private static double[] array(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
